// An engine in memory whose scores depend on the last few tokens alone: instant, deterministic, and strict about the
// contract of Sequence and Scores. For tests of everything that stands above engines.
import {
  type Candidates,
  type Capabilities,
  type Engine,
  type Need,
  NEEDS,
  type Rows,
  type Scores,
  type Sequence,
} from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";

export interface TableOptions {
  readonly vocab?: number;
  readonly seed?: number;
  /** Tokens that the scores depend on. */
  readonly order?: number;
  /** Spread of the logits. */
  readonly spread?: number;
  readonly context?: number;
  readonly maxRows?: number;
  readonly can?: Partial<Capabilities>;
  /**
   * Added to scores of rows that do not stand in a chain from the first row on, and to all scores over a cache with such
   * rows: never the same twice.
   */
  readonly treeNoise?: number;
  /** Logits are multiples of this, so that ties abound. */
  readonly grid?: number;
  readonly ends?: readonly number[];
  /** Bytes of each token; of token t, the letter number t otherwise. */
  readonly bytes?: readonly Uint8Array[];
  readonly cost?: (width: number) => number;
  /** Called before each pass. */
  readonly onPass?: (rows: Rows, sequence: Sequence) => void;
}

/** A number in [0, 1) from whole numbers, always the same. */
export function hashed(...numbers: readonly number[]): number {
  let h = 0x811c9dc5;
  for (const number of numbers) {
    h = Math.imul(h ^ number, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return (h >>> 0) / 2 ** 32;
}

export class TableEngine implements Engine {
  readonly name = "table";
  readonly format: WeightFormat = "float32";
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;
  readonly source: ModelSource;
  readonly vocab: number;
  /** Passes so far, and rows in them. */
  passes = 0;
  rows = 0;
  calibrated = 0;
  opened = 0;
  readonly #table = new Map<string, Float64Array>();
  #valid = 0;

  constructor(readonly options: TableOptions = {}) {
    this.vocab = options.vocab ?? 20;
    this.context = options.context ?? 512;
    this.maxRows = options.maxRows ?? 64;
    this.can = {
      tree: true,
      exact: "trees",
      deviceRules: [],
      rewind: "truncate",
      ...options.can,
    };
    this.source = sourceOf(this.vocab, this.context, options);
  }

  open(): Sequence {
    return new TableSequence(this, []);
  }

  cost(width: number): number {
    return this.calibrated > 0 ? (this.options.cost ?? (() => 1))(width) : NaN;
  }

  calibrate(): Promise<void> {
    this.calibrated++;
    return Promise.resolve();
  }

  close(): void {}

  /** The logits after a text. */
  logits(text: readonly number[]): Float64Array {
    const { seed = 1, order = 2, spread = 3, grid = 0 } = this.options;
    const recent = text.slice(Math.max(0, text.length - order));
    const key = recent.join();
    let logits = this.#table.get(key);
    if (logits === undefined) {
      logits = Float64Array.from({ length: this.vocab }, (_, token) => {
        const normal = hashed(seed, ...recent, token, 1) + hashed(seed, ...recent, token, 2) - 1;
        return grid > 0 ? Math.round(normal * spread / grid) * grid : normal * spread;
      });
      this.#table.set(key, logits);
    }
    return logits;
  }

  /** What greedy decoding says next. */
  likeliest(text: readonly number[]): number {
    const logits = this.logits(text);
    return logits.reduce((best, logit, token) => logit > logits[best] ? token : best, 0);
  }

  expire(): void {
    this.#valid++;
  }

  validity(): () => void {
    const valid = this.#valid;
    return () => {
      if (valid !== this.#valid) throw new Error("these scores are no longer valid");
    };
  }
}

interface Row {
  readonly token: number;
  readonly parent: number;
  /** Computed beside a branch, or after something that was. */
  readonly inexact: boolean;
}

class TableSequence implements Sequence {
  #pending: readonly Row[] = [];
  #closed = false;

  constructor(private readonly engine: TableEngine, private committed: readonly Row[]) {
    engine.opened++;
  }

  get length(): number {
    return this.committed.length;
  }

  /** For tests that look into the cache. */
  get tokens(): number[] {
    return this.committed.map(({ token }) => token);
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const { engine } = this;
    const { treeNoise = 0, onPass } = engine.options;
    onPass?.(rows, this);
    const size = rows.tokens.length;
    if (size === 0) throw new Error("a pass without rows");
    const parents = rows.parents ?? Int32Array.from(rows.tokens, (_, row) => row - 1);
    const tree = parents.some((parent, row) => parent !== row - 1);
    if (tree && !engine.can.tree) throw new Error("this engine cannot score trees");
    if (rows.score !== "last" && size > engine.maxRows) throw new Error(`${size} rows in one pass`);
    if (this.length + size > engine.context) throw new HunchError("input", "the context is full");
    engine.passes++;
    engine.rows += size;
    const branch = parents.findIndex((parent, row) => parent !== row - 1);
    const shaken = this.committed.some((row) => row.inexact);
    const inexact = (row: number) => shaken || (tree && row >= branch);
    this.#pending = Array.from(rows.tokens, (token, row) => ({ token, parent: parents[row], inexact: inexact(row) }));
    const logits: Float64Array[] = [];
    for (let row = rows.score === "last" ? size - 1 : 0; row < size; row++) {
      const path: number[] = [];
      for (let at = row; at >= 0; at = parents[at]) path.unshift(rows.tokens[at]);
      const exact = engine.logits([...this.tokens, ...path]);
      logits.push(
        inexact(row) && treeNoise > 0
          ? exact.map((logit, token) => logit + treeNoise * (hashed(engine.passes, row, token) - 0.5))
          : exact,
      );
    }
    await Promise.resolve();
    return new TableScores(logits, rows.temperature ?? 1, rows.need ?? "logits", engine.validity());
  }

  keep(path: Int32Array): void {
    this.#begin();
    path.forEach((row, step) => {
      if (this.#pending[row]?.parent !== (step === 0 ? -1 : path[step - 1])) throw new Error(`[${path}] is no path`);
    });
    this.committed = [...this.committed, ...Array.from(path, (row) => this.#pending[row])];
    this.#pending = [];
  }

  rewind(length: number): void {
    this.#begin();
    if (!(length >= 0 && length <= this.length)) throw new Error(`cannot rewind ${this.length} to ${length}`);
    this.committed = this.committed.slice(0, length);
    this.#pending = [];
  }

  fork(): Sequence {
    this.#begin();
    return new TableSequence(this.engine, this.committed);
  }

  close(): void {
    this.#begin();
    this.#closed = true;
    this.engine.opened--;
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.expire();
  }
}

/** Strict: what a pass was not asked for is out of reach until `load`. */
class TableScores implements Scores {
  readonly rows: number;
  readonly vocab: number;

  constructor(
    private readonly all: readonly Float64Array[],
    private readonly temperature: number,
    private need: Need,
    private readonly check: () => void,
  ) {
    this.rows = all.length;
    this.vocab = all[0].length;
  }

  load(): Promise<void> {
    this.check();
    this.need = "logits";
    return Promise.resolve();
  }

  argmax(row: number): number {
    const logits = this.#row(row, "argmax");
    return logits.reduce((best, logit, token) => logit > logits[best] ? token : best, 0);
  }

  top(row: number, k: number): Candidates {
    const logits = this.#row(row, k <= 64 ? "candidates" : "logits");
    const probabilities = this.#softmax(logits);
    const order = Array.from(logits, (_, token) => token).sort((a, b) => logits[b] - logits[a] || a - b).slice(0, k);
    return { tokens: Int32Array.from(order), probabilities: Float32Array.from(order, (token) => probabilities[token]) };
  }

  probability(row: number, token: number): number {
    return Math.fround(this.distribution(row).probabilities[token]);
  }

  distribution(row: number): Distribution {
    return { vocab: this.vocab, probabilities: this.#softmax(this.#row(row, "probabilities")) };
  }

  logits(row: number): Float64Array {
    return this.#row(row, "logits");
  }

  #softmax(logits: Float64Array): Float64Array {
    const most = Math.max(...logits);
    const weights = logits.map((logit) => Math.exp((logit - most) / this.temperature));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  }

  #row(row: number, need: Need): Float64Array {
    this.check();
    if (NEEDS.indexOf(need) > NEEDS.indexOf(this.need)) throw new Error(`${need} of a pass for ${this.need}`);
    return this.all[row];
  }
}

function sourceOf(vocab: number, context: number, { ends = [], bytes }: TableOptions): ModelSource {
  const letters = Array.from({ length: vocab }, (_, token) => new TextEncoder().encode(letter(token)));
  const of = (token: number) => ends.includes(token) ? new Uint8Array(0) : (bytes ?? letters)[token];
  const tokenizer: Tokenizer = {
    vocab,
    ends,
    encode: (text) =>
      Int32Array.from(text, (character) => letters.findIndex((_, token) => letter(token) === character)),
    bytes: of,
    decode: (tokens) => {
      const all = Array.from(tokens, (token) => [...of(token)]).flat();
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(all));
    },
    name: (token) => ends.includes(token) ? `<end ${token}>` : letter(token),
  };
  const refuse = (): never => {
    throw new Error("a table has no tensors");
  };
  return {
    path: "table.test",
    format: "table",
    title: "table",
    spec: {
      architecture: "table",
      vocab,
      width: 0,
      context,
      layers: [],
      norm: { kind: "rms", epsilon: 0 },
      embeddingScale: 1,
      logitScale: 1,
    },
    tokenizer,
    names: [],
    has: () => false,
    tensor: refuse,
    hash: () => Promise.resolve("table"),
    size: 0,
    close() {},
  };
}

const letter = (token: number) => String.fromCodePoint(97 + token);
