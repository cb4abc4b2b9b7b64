// hunch model quality: the same text through every weight format and through float32, side by side. Says how likely
// the text is in each, how far the next-token distributions are from float32's, and what a pass costs here.
import type { Engine, Sequence } from "../../src/backend.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { loadEngine } from "../engine/backends.ts";
import { openCache } from "../cache/cache.ts";
import { forgetChoices } from "../engine/choice.ts";
import { openRegistry } from "../engine/methods.ts";
import { largest, logSumExp } from "../../src/math/logits.ts";
import { loadWhereKnown } from "../engine/formats.ts";
import { openNamed } from "../engine/models.ts";
import { RIVERS } from "./rivers.ts";
import { Status } from "../output/status.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { readText } from "../input/text.ts";

interface Options {
  readonly file: string | undefined;
  readonly text: string | undefined;
  readonly tokens: number;
  readonly formats: readonly WeightFormat[];
  readonly backend: string;
  readonly threads: number | undefined;
  readonly json: boolean;
}

interface Quality {
  readonly format: WeightFormat;
  readonly engine: string;
  /** Mean over the text's tokens of −ln p, in nats; e to it is the perplexity. */
  readonly loss: number;
  readonly perplexity: number;
  /** Mean Kullback-Leibler divergence of float32's distribution from this one's, in nats. */
  readonly divergence: number;
  /** How often the likeliest token is float32's. */
  readonly sameToken: number;
  /** Milliseconds of a pass over one row, and over eight. */
  readonly passMs: number;
  readonly pass8Ms: number;
}

/** Told in this order: what the others are compared with comes first. */
const FORMATS = [...new Set<WeightFormat>(["float32", ...WEIGHT_FORMATS])];
const ROWS = 32;

export async function modelQuality(options: Options): Promise<number> {
  const cacheDir = openCache();
  const status = new Status();
  const source = await openNamed(options.file, cacheDir);
  const registry = await openRegistry([]);
  const { threads } = options;
  const loadOn = (backend: string, format: WeightFormat) =>
    loadEngine(backend, source, { format, strict: true, threads, cacheDir, progress: status.progress }, registry);
  try {
    const tokens = await textTokens(source, options);
    const wanted = options.formats.length > 0 ? options.formats : FORMATS;
    const base = await loadOn(options.backend, "float32");
    // One backend for all of them, so that only the format differs.
    const load = (format: WeightFormat) => loadOn(options.backend === "auto" ? base.name : options.backend, format);
    const found: Quality[] = [];
    try {
      for (const format of wanted) {
        const engine = format === "float32" ? base : await loadWhereKnown(load, format, options.formats.length > 0);
        if (engine === undefined) continue;
        try {
          found.push(await compare(base, engine, tokens, status));
        } finally {
          if (engine !== base) engine.close();
        }
      }
    } finally {
      base.close();
    }
    forgetChoices(cacheDir); // `--format auto` may now take another one
    status.clear();
    report(found, tokens.length, source, options);
    return EXIT.ok;
  } finally {
    status.clear();
    source.close();
  }
}

async function textTokens(source: ModelSource, { text, tokens: most }: Options): Promise<Int32Array> {
  const tokens = source.tokenizer.encode(text === undefined ? RIVERS : await readText(text), { begin: true });
  if (tokens.length < 2) {
    throw new HunchError("usage", "the text is too short to judge by", { hint: "give more of it" });
  }
  return tokens.slice(0, Math.min(most, source.spec.context));
}

async function compare(base: Engine, engine: Engine, tokens: Int32Array, status: Status): Promise<Quality> {
  const one = base.open();
  const other = engine === base ? one : engine.open();
  let loss = 0;
  let divergence = 0;
  let same = 0;
  try {
    for (let from = 0; from < tokens.length - 1; from += ROWS) {
      const rows = tokens.slice(from, Math.min(from + ROWS, tokens.length - 1));
      const expected = await logProbabilities(one, rows);
      const actual = one === other ? expected : await logProbabilities(other, rows);
      for (let row = 0; row < rows.length; row++) {
        const p = expected[row];
        const q = actual[row];
        loss -= q[tokens[from + row + 1]];
        divergence += divergenceOf(p, q);
        if (largest(p, 1)[0] === largest(q, 1)[0]) same++;
      }
      status.progress(`reading in ${engine.format}`, (from + rows.length) / (tokens.length - 1));
    }
  } finally {
    one.close();
    if (other !== one) other.close();
  }
  await engine.calibrate(); // kept, so that `--format auto` knows
  const count = tokens.length - 1;
  return {
    format: engine.format,
    engine: engine.name,
    loss: loss / count,
    perplexity: Math.exp(loss / count),
    divergence: divergence / count,
    sameToken: same / count,
    passMs: engine.cost(1),
    pass8Ms: engine.cost(8),
  };
}

/** ln p of every next token, [rows][vocab]; commits the rows. */
async function logProbabilities(sequence: Sequence, tokens: Int32Array): Promise<Float64Array[]> {
  const scores = await sequence.forward({ tokens });
  const rows = Array.from(tokens, (_, row) => logSoftmax(scores.logits(row)));
  sequence.keep(Int32Array.from(tokens, (_, row) => row));
  return rows;
}

function logSoftmax(logits: Float32Array | Float64Array): Float64Array {
  const all = logSumExp(logits);
  return Float64Array.from(logits, (logit) => logit - all);
}

/** Σ p·(ln p − ln q), ≥ 0. */
function divergenceOf(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) if (p[i] > -700) sum += Math.exp(p[i]) * (p[i] - q[i]);
  return Math.max(0, sum);
}

function report(found: readonly Quality[], tokens: number, source: ModelSource, { text, json }: Options): void {
  if (json) {
    stdout.line(JSON.stringify({ model: { title: source.title, path: source.path }, tokens, formats: found }));
    return;
  }
  const rows = found.map((quality) => [
    quality.format,
    quality.perplexity.toFixed(3),
    quality.loss.toFixed(4),
    quality.divergence.toFixed(5),
    `${(quality.sameToken * 100).toFixed(1)}%`,
    `${quality.passMs.toFixed(1)} ms`,
    `${quality.pass8Ms.toFixed(1)} ms`,
  ]);
  const header = ["format", "perplexity", "nats/token", "KL to float32", "same token", "1 row", "8 rows"];
  for (const line of table([header, ...rows], [1, 2, 3, 4, 5, 6])) stdout.line(line);
  stdout.line(`${tokens} tokens of ${text ?? "a page about rivers"}, ${source.title}`);
}
