// Places of texts with what the target made of them, on the disk: what DReSD looks things up in, from run to run.
//
// A JSON header with its length before it (8 bytes), then float64 mean [width], deviation [width] and components
// [dimensions, width], int32 tokens [places], float32 keys [places, columns]; little-endian, with a checksum in the header.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { HunchError } from "../errors.ts";
import { Fields, isWhole } from "../fields.ts";
import { OutputFile } from "../output-file.ts";
import { Reduction } from "./reduction.ts";

const FORMAT = "hunch-states";

/** Whose states these are. */
export interface Whose {
  /** `ModelSource.hash`. */
  readonly model: string;
  /** To tell people. */
  readonly title: string;
  readonly width: number;
}

export interface KeptPlaces {
  /** What made the keys of states; without it they are the states themselves. */
  readonly reduction?: Reduction;
  /** [places] −1 behind each text. */
  readonly tokens: Int32Array;
  /** [places, columns] Of the state after each token; zeros where it is not known. */
  readonly keys: Float32Array;
}

/**
 * Undefined where there is no such file. Throws HunchError("input") where it is damaged or of another model, and then leaves
 * it alone.
 */
export function readPlaces(path: string, { model, title, width }: Whose): KeptPlaces | undefined {
  if (!existsSync(path)) return undefined;
  const wrong = (must: string, field = "") =>
    new HunchError("input", must, { file: path, field: field || undefined, hint: "name another file, or remove it" });
  const all = readFileSync(path);
  const length = all.length < 8 ? -1 : Number(all.readBigUInt64LE(0));
  if (!(length > 0 && length <= all.length - 8)) throw wrong("this is no file of hidden states");
  let header: unknown;
  try {
    header = JSON.parse(all.subarray(8, 8 + length).toString("utf8"));
  } catch {
    throw wrong("this is no file of hidden states");
  }
  const fields = Fields.of(header, wrong, "this is no file of hidden states");
  const { format, version, places, dimensions, checksum } = fields.values;
  fields.need(format === FORMAT, "format", "this is no file of hidden states");
  fields.need(version === 1, "version", `files of version ${String(version)} are unknown`);
  if (fields.values.model !== model || fields.values.width !== width) {
    throw wrong(`these are hidden states of ${String(fields.values.title)}, not of ${title}`);
  }
  const body = Uint8Array.from(all.subarray(8 + length));
  fields.need(checksum === sumOf(body), "checksum", "the file is damaged");
  if (!isWhole(places, 0, 2 ** 31) || !isWhole(dimensions, 0, width)) {
    throw fields.wrong("places", "the file is damaged");
  }
  const floats = dimensions === 0 ? 0 : (2 + dimensions) * width;
  const columns = dimensions || width;
  fields.need(body.length === 8 * floats + 4 * places * (1 + columns), "places", "the file is damaged");
  const numbers = new Float64Array(body.buffer, 0, floats);
  const rows = Array.from({ length: floats / width }, (_, i) => numbers.slice(i * width, (i + 1) * width));
  return {
    reduction: dimensions === 0 ? undefined : new Reduction(rows[0], rows[1], rows.slice(2)),
    tokens: new Int32Array(body.buffer, 8 * floats, places),
    keys: new Float32Array(body.buffer, 8 * floats + 4 * places, places * columns),
  };
}

/** Throws WriteError where places could not be written there: told before a run, not at its end. */
export function refuseUnwritable(path: string): void {
  new OutputFile(path).discard();
}

/** Readable by its owner alone. Throws WriteError. */
export function writePlaces(path: string, whose: Whose, { reduction, tokens, keys }: KeptPlaces): void {
  const rows = reduction === undefined ? [] : [reduction.mean, reduction.deviation, ...reduction.components];
  const body = Buffer.concat(
    [...rows, tokens, keys].map((list) => Buffer.from(list.buffer, list.byteOffset, list.byteLength)),
  );
  const dimensions = reduction?.components.length ?? 0;
  const header = Buffer.from(
    JSON.stringify({ format: FORMAT, version: 1, ...whose, dimensions, places: tokens.length, checksum: sumOf(body) }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = new OutputFile(path, { mode: 0o600 });
  try {
    for (const part of [length, header, body]) file.write(part);
    file.finish();
  } finally {
    file.discard();
  }
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
