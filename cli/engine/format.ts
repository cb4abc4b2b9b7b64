// Which weight format `--format auto` is: the one in which the passes of earlier answers would have taken least.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { damaged, Fields, isObject, isWhole } from "../../src/fields.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { writeOutput } from "../../src/output-file.ts";
import type { Stats } from "../../src/stats.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { passesCost } from "../../kernels/cost.ts";
import { VERSION } from "../version.ts";
import type { Manner } from "./profile.ts";

/** Passes by their rows, and the tokens that came of them: how wide drafts were, and how much of them was accepted. */
export type Passes = Pick<Stats, "tokens" | "widths">;

/** Milliseconds of a pass over so many rows, by format; see EngineOptions. */
export type FormatCosts = ReadonlyMap<WeightFormat, (rows: number) => number>;

/** Every pass a row and a token. */
export const PLAIN_PASSES: Passes = { tokens: 1, widths: { 1: 1 } };

/** A format that was chosen among several. */
export interface FormatChoice {
  readonly format: WeightFormat;
  /** Milliseconds a token would take in each format that was measured. */
  readonly perToken: Readonly<Partial<Record<WeightFormat, number>>>;
  /** How many tokens, from earlier answers, that is reckoned from. */
  readonly tokens: number;
}

/** Another format is taken where a token takes less than this of its time in `exact`, which rounds least. */
const WORTH = 0.9;

/**
 * The format in which a token takes least, if each pass takes its time by the curve; and no more than a plain pass,
 * for controllers stop drafting where it loses.
 */
export function chooseFormat(costs: FormatCosts, { tokens, widths }: Passes): FormatChoice {
  const times = [...costs].map(([format, cost]) =>
    [format, Math.min(cost(1), passesCost(widths, cost) / tokens)] as const
  );
  const [best, least] = times.reduce((best, other) => other[1] < best[1] ? other : best);
  const perToken = Object.fromEntries(times);
  return { format: least < WORTH * perToken.exact ? best : "exact", perToken, tokens };
}

/** A few words for the summary: beside `exact`, or of `exact` beside the quickest other. */
export function formatWords({ format, perToken }: FormatChoice): string {
  const others = Object.entries(perToken).filter(([other]) => other !== "exact").sort(([, a], [, b]) => a - b);
  const [other, ms] = format === "exact" ? others[0] : ["exact", perToken.exact!];
  return `auto: a token takes ${(perToken[format]! / ms).toFixed(2)} of its time in ${other}`;
}

const FOLDER = "passes";
/** Where more passes than these are kept, older ones count half. */
const MANY = 2000;

/** The passes of answers with one model, kept for later choices by drafter and manner of decoding. */
export class SeenPasses {
  readonly #fresh = new Map<string, Passes[]>();

  private constructor(private readonly cacheDir: string, private readonly model: string) {}

  static async of(source: ModelSource, cacheDir: string, progress?: (fraction: number) => void): Promise<SeenPasses> {
    return new SeenPasses(cacheDir, await source.hash(cacheDir, progress));
  }

  /** Undefined where there was no answer yet, or what was kept is not what it should be. */
  read(drafter: string, manner: Manner): Passes | undefined {
    return readPasses(this.#path(drafter, manner));
  }

  add(drafter: string, manner: Manner, { tokens, widths }: Passes): void {
    if (tokens === 0) return;
    const path = this.#path(drafter, manner);
    this.#fresh.set(path, [...this.#fresh.get(path) ?? [], { tokens, widths }]);
  }

  /** Puts what was added to what is kept. A cache that cannot be written costs a choice its ground, nothing else. */
  keep(): void {
    for (const [path, fresh] of this.#fresh) {
      const known = readPasses(path);
      try {
        writeOutput(path, JSON.stringify(sum(known ? [known, ...fresh] : fresh)), { folders: true });
      } catch {
        return;
      }
    }
    this.#fresh.clear();
  }

  #path(drafter: string, manner: Manner): string {
    const key = JSON.stringify([VERSION, this.model, drafter, manner]);
    return join(this.cacheDir, FOLDER, createHash("sha256").update(key).digest("hex").slice(0, 24) + ".json");
  }
}

function sum(all: readonly Passes[]): Passes {
  const widths: Record<string, number> = {};
  for (const { widths: own } of all) {
    for (const [rows, count] of Object.entries(own)) widths[rows] = (widths[rows] ?? 0) + count;
  }
  const passes = Object.values(widths).reduce((a, b) => a + b);
  const share = passes > MANY ? 0.5 : 1;
  return {
    tokens: share * all.reduce((total, { tokens }) => total + tokens, 0),
    widths: Object.fromEntries(Object.entries(widths).map(([rows, count]) => [rows, share * count])),
  };
}

function readPasses(path: string): Passes | undefined {
  try {
    const fields = Fields.of(JSON.parse(readFileSync(path, "utf8")), (must, field) => damaged(path, must, field));
    const tokens = fields.required("tokens", "number");
    const { widths } = fields.values;
    if (!isObject(widths)) throw fields.wrong("widths", "an object");
    const entries = Object.entries(widths);
    const fine = entries.length > 0 && tokens > 0 &&
      entries.every(([rows, count]) => isWhole(Number(rows), 1, Infinity) && typeof count === "number" && count > 0);
    return fine ? { tokens, widths: widths as Record<number, number> } : undefined;
  } catch {
    return undefined;
  }
}
