// What `--backend auto` came to: how it is told, and how it is kept for the next start.
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { EngineOptions } from "../../src/backend.ts";
import { damaged, Fields, isObject } from "../../src/fields.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { writeOutput } from "../../src/output-file.ts";
import { machine } from "../../kernels/calibration.ts";
import { VERSION } from "../version.ts";

/** Milliseconds of a pass over one row (plain decoding) and over eight (checking a draft). */
export interface Times {
  readonly one: number;
  readonly eight: number;
}

/** A backend that was measured beside another. */
export interface Trial {
  readonly backend: string;
  readonly engine: string;
  readonly format: WeightFormat;
  readonly ms: Times;
}

export interface Choice {
  /** The engine's name, as `onnx:cpu`. */
  readonly engine: string;
  /** Where several can run the model: all of them, fastest first. */
  readonly trials: readonly Trial[];
  /** Those that cannot run it here, or have nothing that could be faster, and why. */
  readonly refusals: readonly string[];
}

/** What `auto` would do with a model that it has not seen. */
export interface Prospect {
  /** One: taken. More: compared. */
  readonly candidates: readonly string[];
  readonly refusals: readonly string[];
}

/** A choice as it is kept. */
export interface Remembered extends Choice {
  readonly backend: string;
  /** By backend: the name of its hardware, or why it has none, as it was then. */
  readonly hardware: Readonly<Record<string, string>>;
  /** False where a backend failed although its hardware is there: that may pass. */
  readonly settled: boolean;
  /** When it was made, or last found to hold; milliseconds since 1970. */
  readonly time: number;
}

export type Options = Omit<EngineOptions, "provider">;

const FOLDER = "choices";

/** One line, for people. */
export function choiceLine({ engine, trials, refusals }: Choice): string {
  const mixed = trials.some(({ format }) => format !== trials[0].format);
  const told = trials.map(({ engine, format, ms: { one, eight } }, i) => {
    const name = [...i > 0 ? [engine] : [], ...mixed ? [format] : []].join(" ");
    const times = i > 0
      ? `${one.toFixed(1)} and ${eight.toFixed(1)} ms`
      : `1 row ${one.toFixed(1)} ms, 8 rows ${eight.toFixed(1)} ms`;
    return name ? `${name} ${times}` : times;
  });
  return `auto chose ${engine}: ${[...told, ...refusals].join("; ")}`;
}

/** The same about a model that was not run here yet. */
export function prospectLine({ candidates, refusals }: Prospect): string {
  const what = candidates.length > 1 ? `the faster of ${candidates.join(" and ")}` : candidates[0] ?? "nothing";
  return `auto would try ${[what, ...refusals].join("; ")}`;
}

/** Where the choice for a model is kept: whatever it depends on, but for the hardware, is in the name. */
export async function choicePath(source: ModelSource, options: Options): Promise<string> {
  const { cacheDir, format, strict, threads, context } = options;
  const runtime = "Deno" in globalThis ? "deno" : "bun";
  const model = await source.hash(cacheDir, (fraction) => options.progress?.("reading", fraction));
  const key = JSON.stringify([VERSION, runtime, machine(), model, format, strict, threads, context]);
  return join(cacheDir, FOLDER, createHash("sha256").update(key).digest("hex").slice(0, 24) + ".json");
}

/** Undefined where nothing is kept, or the file is not what it should be. */
export function readChoice(path: string): Remembered | undefined {
  try {
    const fields = Fields.of(JSON.parse(readFileSync(path, "utf8")), (must, field) => damaged(path, must, field));
    const texts = (values: readonly unknown[], name: string) => {
      const all = values.filter((value) => typeof value === "string");
      fields.need(all.length === values.length, name, "texts");
      return all;
    };
    const { refusals, hardware, trials, settled } = fields.values;
    if (!isObject(hardware)) throw fields.wrong("hardware", "an object");
    if (!Array.isArray(refusals)) throw fields.wrong("refusals", "a list");
    if (!Array.isArray(trials)) throw fields.wrong("trials", "a list");
    texts(Object.values(hardware), "hardware");
    return {
      backend: fields.required("backend", "string"),
      engine: fields.required("engine", "string"),
      trials: trials.length === 0 ? [] : fields.each("trials", trialOf),
      refusals: texts(refusals, "refusals"),
      hardware: hardware as Readonly<Record<string, string>>,
      settled: settled === true,
      time: fields.required("time", "number"),
    };
  } catch {
    return undefined;
  }
}

function trialOf(fields: Fields): Trial {
  const { one, eight } = isObject(fields.values.ms) ? fields.values.ms : {};
  const time = (value: unknown): value is number => typeof value === "number" && value > 0;
  if (!time(one) || !time(eight)) throw fields.wrong("ms", "two times");
  return {
    backend: fields.required("backend", "string"),
    engine: fields.required("engine", "string"),
    format: fields.choice("format", WEIGHT_FORMATS),
    ms: { one, eight },
  };
}

/** A cache that cannot be written costs a measurement the next time, nothing else. */
export function writeChoice(path: string, choice: Remembered): void {
  try {
    writeOutput(path, JSON.stringify(choice), { folders: true });
  } catch {
    return;
  }
}

/** Forgets every choice: what they were made by has changed. */
export function forgetChoices(cacheDir: string): void {
  rmSync(join(cacheDir, FOLDER), { recursive: true, force: true });
}
