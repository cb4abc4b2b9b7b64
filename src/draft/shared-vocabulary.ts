// A draft model whose vocabulary is the target's but for its end: models of one family are padded to different lengths.
// Its scores are cut or filled up to the target's vocabulary, so that whoever drafts with it need not know. What it draws
// from is then the cut distribution, and every rule is lossless for whatever a draft was drawn from.
import type { Candidates, Capabilities, Engine, Rows, Scores, Sequence } from "../backend.ts";
import type { WeightFormat } from "../weight-format.ts";
import { type Distribution, forEach, mass, probability, top } from "../math/distribution.ts";
import type { ModelSource } from "../model/source.ts";

/** `draft`, with scores for the tokens of `target`. */
export function inVocabularyOf(target: Engine, draft: Engine): Engine {
  const { vocab } = target.source.spec;
  return vocab === draft.source.spec.vocab ? draft : new SharedVocabulary(draft, vocab);
}

class SharedVocabulary implements Engine {
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;

  constructor(private readonly inner: Engine, private readonly vocab: number) {
    this.name = inner.name;
    this.source = withVocabulary(inner.source, vocab);
    this.format = inner.format;
    this.context = inner.context;
    this.maxRows = inner.maxRows;
    this.can = { ...inner.can, deviceRules: [] };
  }

  open(): Sequence {
    return new SharedSequence(this.inner.open(), this.inner.source.spec.vocab, this.vocab);
  }

  cost(width: number): number {
    return this.inner.cost(width);
  }

  calibrate(): Promise<void> {
    return this.inner.calibrate();
  }

  close(): void {
    this.inner.close();
  }
}

class SharedSequence implements Sequence {
  /** `own`: the vocabulary of `inner`. */
  constructor(private readonly inner: Sequence, private readonly own: number, private readonly vocab: number) {}

  get length(): number {
    return this.inner.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    const { own, vocab } = this;
    const scores = await this.inner.forward({
      ...rows,
      // A token that this model does not have stands for its first one: it only guesses.
      tokens: rows.tokens.some((token) => token >= own) ? rows.tokens.map((t) => t < own ? t : 0) : rows.tokens,
      need: rows.need === "argmax" ? "argmax" : "logits",
      verify: undefined,
    });
    for (let row = 0; row < scores.rows; row++) {
      if (scores.argmax(row) < vocab) continue;
      await scores.load?.(); // another one is the likeliest that both have
      break;
    }
    return new SharedScores(scores, vocab, rows.temperature ?? 1);
  }

  keep(path: Int32Array): void {
    this.inner.keep(path);
  }

  rewind(length: number): void {
    this.inner.rewind(length);
  }

  fork(): Sequence {
    return new SharedSequence(this.inner.fork(), this.own, this.vocab);
  }

  close(): void {
    this.inner.close();
  }
}

class SharedScores implements Scores {
  readonly rows: number;
  readonly #distributions: (Distribution | undefined)[] = [];

  constructor(private readonly inner: Scores, readonly vocab: number, private readonly temperature: number) {
    this.rows = inner.rows;
  }

  async load(): Promise<void> {
    await this.inner.load?.();
  }

  argmax(row: number): number {
    const token = this.inner.argmax(row);
    if (token < this.vocab) return token;
    const logits = this.logits(row);
    let best = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
    return best;
  }

  top(row: number, k: number): Candidates {
    const d = this.distribution(row);
    const tokens = Int32Array.from(top(d, k));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => probability(d, token)) };
  }

  probability(row: number, token: number): number {
    return probability(this.distribution(row), token);
  }

  distribution(row: number): Distribution {
    return this.#distributions[row] ??= normalised(this.#shared(row));
  }

  logits(row: number): Float64Array {
    const logits = new Float64Array(this.vocab).fill(-Infinity);
    logits.set(this.inner.logits(row).subarray(0, this.vocab));
    return logits;
  }

  /** What the tokens of both have of the soft-max; where the likeliest is not among them, it is made anew without it. */
  #shared(row: number): Float64Array {
    if (this.inner.argmax(row) >= this.vocab) {
      const logits = this.logits(row);
      const highest = logits[this.argmax(row)];
      return logits.map((logit) => Math.exp((logit - highest) / this.temperature));
    }
    const probabilities = new Float64Array(this.vocab);
    forEach(this.inner.distribution(row), (token, p) => {
      if (token < this.vocab) probabilities[token] = p;
    });
    return probabilities;
  }
}

function normalised(probabilities: Float64Array): Distribution {
  const d: Distribution = { vocab: probabilities.length, probabilities };
  const factor = 1 / mass(d); // the likeliest of the shared tokens is there: it is not 0
  for (let i = 0; i < probabilities.length; i++) probabilities[i] *= factor;
  return d;
}

/** The same model, said to have so many tokens. */
function withVocabulary(source: ModelSource, vocab: number): ModelSource {
  return {
    path: source.path,
    format: source.format,
    title: source.title,
    spec: { ...source.spec, vocab },
    names: source.names,
    size: source.size,
    get tokenizer() {
      return source.tokenizer;
    },
    has: (name) => source.has(name),
    tensor: (name) => source.tensor(name),
    hash: (cacheDir) => source.hash(cacheDir),
    close: () => source.close(),
  };
}
