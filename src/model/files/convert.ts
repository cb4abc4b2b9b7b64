// Writes a converted model: what a source is, with the weights as one engine wants them. The layout is converted.ts's.
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { setImmediate } from "node:timers";
import type { WeightFormat } from "../../weight-format.ts";
import { HunchError } from "../../errors.ts";
import { OutputFile } from "../../output-file.ts";
import { ALIGN, END, FOOTER, MAGIC, VERSION } from "./converted.ts";
import type { ModelSource } from "../source.ts";
import { specJson } from "../spec/spec-json.ts";

/** The weights of one engine, made one after the other while they are written. */
export interface EngineWeights {
  readonly engine: string;
  readonly format: WeightFormat;
  readonly version: number;
  /** The parts of each in order; a part is valid until the next is asked for. */
  readonly weights: readonly { readonly name: string; parts(): Iterable<ArrayBufferView> }[];
  /** Of all of them. */
  readonly bytes: number;
  /** Canonical names of tensors that the engine also reads as the file has them. */
  readonly kept: readonly string[];
}

/**
 * Writes `source` to `path`, which has its name when it is whole; `progress` is told the fraction that is done.
 * Throws HunchError where the source is converted already, and where `path` cannot be written or is somebody's file:
 * only a converted model is ever replaced, and devices and pipes are written to. Throws the reason of `signal` where that
 * is aborted. Wherever it throws, nothing is left behind.
 */
export async function writeConverted(
  path: string,
  source: ModelSource,
  made: EngineWeights,
  progress?: (fraction: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (source.converted || !source.texts) {
    const hint = "convert the original model";
    throw new HunchError("usage", "only an original model file can be converted", { file: source.path, hint });
  }
  refuseToReplace(path);
  const file = new Output(path);
  try {
    file.write(new TextEncoder().encode(MAGIC));
    const places: { name: string; offset: number; length: number }[] = [];
    for (const { name, parts } of made.weights) {
      const offset = file.align();
      for (const part of parts()) {
        file.write(part);
        progress?.(Math.min(1, file.at / made.bytes));
        await new Promise((resolve) => setImmediate(resolve)); // Ctrl-C is heard in between
        signal?.throwIfAborted();
      }
      places.push({ name, offset, length: file.at - offset });
    }
    const tensors = source.names.map((name) => {
      const { shape, type, bytes } = source.tensor(name);
      return { name, shape, type, ...made.kept.includes(name) ? file.place(bytes.call(source.tensor(name))) : {} };
    });
    const { kind, files } = source.texts;
    const texts = { kind, files: files.map(({ name, bytes }) => ({ name, ...file.place(bytes()) })) };
    const { engine, format, version } = made;
    const weights = { engine, format, version, places };
    const spec = specJson(source.spec);
    file.finish({ version: VERSION, title: source.title, origin: source.format, spec, tensors, texts, weights });
  } finally {
    file.discard();
  }
}

function refuseToReplace(path: string): void {
  if (!existsSync(path)) return;
  const about = statSync(path);
  if (!about.isFile() && !about.isDirectory()) return;
  const start = new Uint8Array(MAGIC.length);
  if (about.isFile()) {
    const file = openSync(path, "r");
    readSync(file, start, 0, start.length, 0);
    closeSync(file);
    if (new TextDecoder().decode(start) === MAGIC) return;
  }
  throw new HunchError("usage", "this exists and is no converted model, so it is not replaced", {
    file: path,
    hint: "name another file",
  });
}

/** Knows where it is, so that weights can be aligned and found again. */
class Output {
  readonly #file: OutputFile;
  #at = 0;

  constructor(path: string) {
    this.#file = new OutputFile(path);
  }

  get at(): number {
    return this.#at;
  }

  write({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.#file.write(new Uint8Array(buffer, byteOffset, byteLength));
    this.#at += byteLength;
  }

  /** Goes on at the next multiple of 64 bytes, and tells where that is. */
  align(): number {
    this.write(new Uint8Array((ALIGN - this.#at % ALIGN) % ALIGN));
    return this.#at;
  }

  place(bytes: Uint8Array): { offset: number; length: number } {
    const offset = this.align();
    this.write(bytes);
    return { offset, length: bytes.length };
  }

  finish(index: unknown): void {
    const bytes = new TextEncoder().encode(JSON.stringify(index));
    const footer = new Uint8Array(FOOTER);
    footer.set(createHash("sha256").update(bytes).digest());
    new DataView(footer.buffer).setBigUint64(32, BigInt(this.#at), true);
    new DataView(footer.buffer).setBigUint64(40, BigInt(bytes.length), true);
    footer.set(new TextEncoder().encode(END), 48);
    this.write(bytes);
    this.write(footer);
    this.#file.finish();
  }

  discard(): void {
    this.#file.discard();
  }
}
