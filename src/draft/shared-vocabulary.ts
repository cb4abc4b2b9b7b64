// A draft model whose scores are for the target's tokens, so that whoever drafts with it need not know that it has others.
// Its tokens are renumbered: those that the target has get the target's numbers, all others stand behind the target's
// last. They may be said to it and it never says them: its scores end with the target's vocabulary. What it draws from is
// then the distribution cut to the tokens of both and renormalised, and every rule is lossless for whatever a draft was
// drawn from.
//
// Models of one family are padded to different lengths: there the numbers are the same. For other tokenizers see
// plugins/drafters/tli.ts.
import type { Candidates, Capabilities, Engine, Rows, Scores, Sequence } from "../backend.ts";
import type { WeightFormat } from "../weight-format.ts";
import { type Distribution, mass, probability } from "../math/distribution.ts";
import type { ModelSource } from "../model/source.ts";

/** `draft`, with scores for the tokens of `target`. */
export function inVocabularyOf(target: Engine, draft: Engine): Engine {
  const { vocab } = target.source.spec;
  const own = draft.source.spec.vocab;
  if (vocab === own) return draft;
  return new RenumberedEngine(
    draft,
    new Numbers(vocab, Int32Array.from({ length: own }, (_, t) => t < vocab ? t : -1)),
  );
}

/** How a draft model's tokens are numbered. */
export class Numbers {
  /** [draft's vocab] The number of each token of the draft model. */
  readonly of: Int32Array;
  /** The draft model's token of each number; −1 for tokens that only the target has. */
  readonly own: Int32Array;
  /** The draft model's tokens that the target does not have. */
  readonly unshared: Int32Array;

  /** `vocab`: the target's; numbers from it on are of tokens that it does not have. `shared`: see `sharedTokens`. */
  constructor(readonly vocab: number, shared: Int32Array) {
    this.unshared = Int32Array.from(shared.keys()).filter((token) => shared[token] < 0);
    this.of = shared.slice();
    this.own = new Int32Array(vocab + this.unshared.length).fill(-1);
    this.unshared.forEach((token, i) => this.of[token] = vocab + i);
    this.of.forEach((number, token) => this.own[number] = token);
  }
}

export class RenumberedEngine implements Engine {
  readonly name: string;
  readonly source: ModelSource;
  readonly format: WeightFormat;
  readonly context: number;
  readonly maxRows: number;
  readonly can: Capabilities;

  constructor(private readonly inner: Engine, private readonly numbers: Numbers) {
    this.name = inner.name;
    this.source = withVocabulary(inner.source, numbers.vocab);
    this.format = inner.format;
    this.context = inner.context;
    this.maxRows = inner.maxRows;
    this.can = { ...inner.can, deviceRules: [] };
  }

  open(): Sequence {
    return new RenumberedSequence(this.inner.open(), this.numbers);
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

class RenumberedSequence implements Sequence {
  constructor(private readonly inner: Sequence, private readonly numbers: Numbers) {}

  get length(): number {
    return this.inner.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    const { of, own, vocab } = this.numbers;
    // A token that this model does not have stands for its first one: it only guesses.
    const tokens = rows.tokens.map((number) => Math.max(0, own[number]));
    const scores = await this.inner.forward({ ...rows, tokens, verify: undefined });
    for (let row = 0; row < scores.rows; row++) {
      if (of[scores.argmax(row)] < vocab) continue;
      await scores.load?.(); // another one is the likeliest that both have
      break;
    }
    return new RenumberedScores(scores, this.numbers, rows.temperature ?? 1);
  }

  keep(path: Int32Array): void {
    this.inner.keep(path);
  }

  rewind(length: number): void {
    this.inner.rewind(length);
  }

  fork(): Sequence {
    return new RenumberedSequence(this.inner.fork(), this.numbers);
  }

  close(): void {
    this.inner.close();
  }
}

class RenumberedScores implements Scores {
  readonly rows: number;
  readonly vocab: number;
  readonly #distributions: (Distribution | undefined)[] = [];

  constructor(
    private readonly inner: Scores,
    private readonly numbers: Numbers,
    private readonly temperature: number,
  ) {
    this.rows = inner.rows;
    this.vocab = numbers.vocab;
  }

  async load(): Promise<void> {
    await this.inner.load?.();
  }

  argmax(row: number): number {
    const number = this.numbers.of[this.inner.argmax(row)];
    if (number < this.vocab) return number;
    const logits = this.logits(row);
    let best = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
    return best;
  }

  /** Those of the draft model's `k` likeliest that both have, so maybe fewer; probabilities are of its whole soft-max. */
  top(row: number, k: number): Candidates {
    const { tokens, probabilities } = this.inner.top(row, k);
    const numbers = tokens.map((token) => this.numbers.of[token]);
    const kept = (_: number, i: number) => numbers[i] < this.vocab;
    return { tokens: numbers.filter(kept), probabilities: probabilities.filter(kept) };
  }

  probability(row: number, token: number): number {
    return probability(this.distribution(row), token);
  }

  distribution(row: number): Distribution {
    return this.#distributions[row] ??= this.#shared(row);
  }

  get states(): Scores["states"] {
    return this.inner.states?.bind(this.inner);
  }

  logits(row: number): Float64Array {
    const { own, vocab } = this.numbers;
    const all = this.inner.logits(row);
    const logits = new Float64Array(vocab).fill(-Infinity);
    for (let number = 0; number < vocab; number++) if (own[number] >= 0) logits[number] = all[own[number]];
    return logits;
  }

  /** The soft-max over the tokens of both. */
  #shared(row: number): Distribution {
    const { of, unshared, vocab } = this.numbers;
    if (of[this.inner.argmax(row)] >= vocab) { // it may have all of the soft-max: made anew without it
      const logits = this.logits(row);
      const highest = logits[this.argmax(row)];
      return normalised(logits.map((logit) => Math.exp((logit - highest) / this.temperature)));
    }
    const { probabilities } = dense(this.inner.distribution(row));
    let foreign = 0;
    for (let i = 0; i < unshared.length; i++) foreign += probabilities[unshared[i]];
    // Where little is foreign, the rest need not be added up. Rules renormalise q to its last place.
    if (foreign < 0.5) return { vocab, probabilities: gathered(probabilities, this.numbers, 1 / (1 - foreign)) };
    return normalised(gathered(probabilities, this.numbers, 1));
  }
}

/** [vocab] The draft model's values by number, times `factor`; 0 for tokens that only the target has. */
function gathered(values: Float64Array, { own, vocab }: Numbers, factor: number): Float64Array {
  const out = new Float64Array(vocab);
  for (let number = 0; number < vocab; number++) {
    const token = own[number];
    if (token >= 0) out[number] = values[token] * factor;
  }
  return out;
}

/** The same with all tokens listed. */
function dense(d: Distribution): Distribution {
  if (d.tokens === undefined) return d;
  const probabilities = new Float64Array(d.vocab);
  d.tokens.forEach((token, i) => probabilities[token] = d.probabilities[i]);
  return { vocab: d.vocab, probabilities };
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
