// A model in memory: a vocabulary written down token by token, and what is likely after each text. For proofs that need a
// model's whole path, from text to rows, and nothing of a model's arithmetic. Where it has layers, it looks like a model from
// inside as well: a pass that leaves out blocks finds something else likely, and hidden states are numbers of the text.
import type { Candidates, Capabilities, Engine, Rows, Scores, Sequence, Skip, Tap } from "../backend.ts";
import { argmax, type Distribution, normalise, probability, top } from "../math/distribution.ts";
import type { ModelSource } from "../model/source.ts";
import type { LayerSpec } from "../model/spec/spec.ts";
import type { Tensor } from "../model/tensors/tensor.ts";
import type { Tokenizer } from "../model/tokenizer.ts";

/** Bytes of each token; without bytes, a token has the name `<N>`. */
export type Written = readonly Uint8Array[];

/** Text is cut from the left, the longest token first; a byte without a token is left out. */
export function writtenTokenizer(tokens: Written): Tokenizer {
  const order = [...tokens.keys()].filter((token) => tokens[token].length > 0);
  order.sort((a, b) => tokens[b].length - tokens[a].length || a - b);
  const bytes = (token: number) => tokens[token] ?? new Uint8Array(0);
  return {
    vocab: tokens.length,
    ends: [],
    bytes,
    encode(text) {
      const all = new TextEncoder().encode(text);
      const out: number[] = [];
      for (let at = 0; at < all.length;) {
        const token = order.find((token) => tokens[token].every((byte, i) => byte === all[at + i]));
        if (token !== undefined) out.push(token);
        at += token === undefined ? 1 : tokens[token].length;
      }
      return Int32Array.from(out);
    },
    decode: (list) => new TextDecoder().decode(Uint8Array.from(Array.from(list, (token) => [...bytes(token)]).flat())),
    name: (token) => bytes(token).length === 0 ? `<${token}>` : new TextDecoder("latin1").decode(bytes(token)),
  };
}

/**
 * `after`: what the model finds likely after a text, at temperature 1, with these blocks left out. `layers`: how many there
 * are to look into.
 */
export class WrittenEngine implements Engine {
  readonly name = "written";
  readonly format = "float32";
  readonly context: number;
  readonly maxRows = 64;
  readonly can: Capabilities;
  readonly source: ModelSource;

  constructor(
    tokens: Written,
    readonly after: (text: readonly number[], skip?: Skip) => Distribution,
    { context = 64, layers = 0 }: { readonly context?: number; readonly layers?: number } = {},
  ) {
    this.context = context;
    this.source = sourceOf(tokens, context, layers);
    const inside = layers > 0 ? { taps: true, skip: true } as const : {};
    this.can = { tree: true, exact: "trees", deviceRules: [], rewind: "truncate", embeddings: true, ...inside };
  }

  open(): Sequence {
    return new WrittenSequence(this, []);
  }

  cost(): number {
    return NaN;
  }

  calibrate(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

class WrittenSequence implements Sequence {
  #pending: readonly number[] = [];

  constructor(private readonly engine: WrittenEngine, private committed: readonly number[]) {}

  get length(): number {
    return this.committed.length;
  }

  async forward({ tokens: given, parents, score, temperature = 1, taps, skip, embeddings }: Rows): Promise<Scores> {
    const { vocab } = this.engine.source.spec;
    const tokens = embeddings === undefined ? given : given.map((_, row) => nearest(embeddings, row, given.length));
    this.#pending = [...tokens];
    const { maxRows } = this.engine;
    if (taps && tokens.length > maxRows) {
      throw new RangeError(`hidden states of ${tokens.length} rows, not of ${maxRows}`);
    }
    const above = parents ?? Int32Array.from(tokens, (_, row) => row - 1);
    const texts = Array.from(tokens, (_, row) => {
      const path: number[] = [];
      for (let at = row; at >= 0; at = above[at]) path.unshift(tokens[at]);
      return [...this.committed, ...path];
    });
    const scored = score === "last" ? texts.slice(-1) : texts;
    const states = new Map(
      taps?.map((tap) => [tap, Float64Array.from(texts.flatMap((text) => writtenState(tap, text, vocab)))]),
    );
    return new WrittenScores(scored.map((text) => tempered(this.engine.after(text, skip), temperature)), states);
  }

  keep(path: Int32Array): void {
    this.committed = [...this.committed, ...Array.from(path, (row) => this.#pending[row])];
  }

  rewind(length: number): void {
    this.committed = this.committed.slice(0, length);
  }

  fork(): Sequence {
    return new WrittenSequence(this.engine, this.committed);
  }

  close(): void {}
}

function tempered(d: Distribution, temperature: number): Distribution {
  if (temperature === 1) return d;
  return normalise({ ...d, probabilities: d.probabilities.map((p) => p ** (1 / temperature)) });
}

/** [width] The hidden state of a text's last token: numbers from −1 to 1. */
export function writtenState(tap: Tap, text: readonly number[], width: number): number[] {
  const start = hashed([tap === "head" ? -1 : tap, ...text]);
  return Array.from({ length: width }, (_, i) => (hashed([start, i]) % 2001) / 1000 - 1);
}

/** A whole number ≥ 0 from numbers, always the same: FNV-1a. */
function hashed(numbers: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (const number of Array.from(numbers)) hash = Math.imul(hash ^ Math.round(number * 1000), 0x01000193);
  return hash >>> 1;
}

/** The token that a row of embeddings holds most of: each token is embedded as itself alone. */
function nearest(embeddings: Float32Array, row: number, rows: number): number {
  const width = embeddings.length / rows;
  return embeddings.slice(row * width, (row + 1) * width).reduce(
    (best, value, token, all) => value > all[best] ? token : best,
    0,
  );
}

class WrittenScores implements Scores {
  constructor(private readonly all: readonly Distribution[], private readonly inside: ReadonlyMap<Tap, Float64Array>) {}

  get rows(): number {
    return this.all.length;
  }

  get vocab(): number {
    return this.all[0].vocab;
  }

  argmax(row: number): number {
    return argmax(this.all[row]);
  }

  top(row: number, k: number): Candidates {
    const tokens = Int32Array.from(top(this.all[row], k));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => probability(this.all[row], token)) };
  }

  probability(row: number, token: number): number {
    return probability(this.all[row], token);
  }

  distribution(row: number): Distribution {
    return this.all[row];
  }

  logits(row: number): Float64Array {
    return Float64Array.from({ length: this.vocab }, (_, token) => Math.log(probability(this.all[row], token)));
  }

  states(tap: Tap): Float64Array {
    const found = this.inside.get(tap);
    if (found === undefined) throw new Error(`this pass was not asked for the states of ${tap}`);
    return found;
  }
}

/** Nothing of it is computed. */
const LAYER: LayerSpec = {
  attention: { heads: 1, kvHeads: 1, headSize: 1, scale: 1 },
  feedForward: { hidden: 1, activation: "silu", gated: true },
  parallel: false,
  residualScale: 1,
};

function sourceOf(tokens: Written, context: number, layers: number): ModelSource {
  const vocab = tokens.length;
  const embed: Tensor = {
    name: "embed.weight",
    shape: [vocab, vocab],
    type: "F32",
    bytes: () => {
      throw new Error("a written model has no file");
    },
    floats: (from = 0, to = vocab) =>
      Float32Array.from({ length: (to - from) * vocab }, (_, i) => Math.floor(i / vocab) + from === i % vocab ? 1 : 0),
  };
  return {
    path: "written",
    format: "written",
    title: "written",
    spec: {
      architecture: "written",
      vocab,
      width: vocab,
      context,
      layers: new Array<LayerSpec>(layers).fill(LAYER),
      norm: { kind: "rms", epsilon: 0 },
      embeddingScale: 1,
      logitScale: 1,
    },
    tokenizer: writtenTokenizer(tokens),
    names: [embed.name],
    size: 0,
    has: (name) => name === embed.name,
    tensor: () => embed,
    hash: () => Promise.resolve("written"),
    close() {},
  };
}
