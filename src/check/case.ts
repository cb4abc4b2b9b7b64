// A case of the losslessness proof: a tiny target and a tiny drafter, both given as complete tables of rows.
//
// A context is the tokens after the committed text. Contexts are numbered like a heap: the empty one is 0, and adding
// token t to context c gives c·vocab + t + 1.
import type { Candidates, Scores } from "../backend.ts";
import { argmax, dense, type Distribution, normalise, point, probability, sparse, top } from "../math/distribution.ts";
import type { DraftLaw, DraftTree } from "../tree.ts";

export interface Case {
  /** What is special about its rows, e.g. `zeros in p`. */
  readonly kind: string;
  readonly vocab: number;
  readonly law: DraftLaw;
  /** The places of the draft, −1 ≤ parents[i] < i; a law may leave some empty where q has too few tokens. */
  readonly parents: readonly number[];
  /** Rows by context, [vocab] each, for contexts of 0 … depth tokens. They need not sum to 1 exactly. */
  readonly p: readonly (readonly number[])[];
  /** Rows by context, for contexts of 0 … depth − 1 tokens. */
  readonly q: readonly (readonly number[])[];
  /** Under the law `beam`: drafts grow place by place, see `drawGrowing`, instead of by a beam search. */
  readonly growing?: boolean;
  /** Rows are handed over sparse, without their zeros. */
  readonly sparse: boolean;
}

/** How many contexts have at most `length` tokens. */
export function contextCount(vocab: number, length: number): number {
  let count = 1;
  for (let i = 0, level = 1; i < length; i++) count += level *= vocab;
  return count;
}

/** The tokens of a context. */
export function contextTokens(context: number, vocab: number): number[] {
  const tokens: number[] = [];
  for (let c = context; c > 0; c = Math.floor((c - 1) / vocab)) tokens.push((c - 1) % vocab);
  return tokens.reverse();
}

/** A row as rules see it. */
function row(values: readonly number[], asSparse: boolean): Distribution {
  if (!asSparse) return dense(values);
  const tokens = values.map((_, t) => t).filter((t) => values[t] > 0);
  return sparse(values.length, tokens, tokens.map((t) => values[t]));
}

/** The rows of a case as distributions, made once, so that a rule may cache by identity. */
export class Rows {
  readonly p: readonly Distribution[];
  readonly q: readonly Distribution[];

  /** `greedy`: the target's rows become arg-max rows, as temperature 0 makes them. */
  constructor(readonly of: Case, greedy: boolean) {
    const target = of.p.map((values) => row(values, of.sparse));
    this.p = greedy ? target.map((d) => point(of.vocab, argmax(d))) : target;
    this.q = of.q.map((values) => row(values, of.sparse));
  }
}

/** What a pass of the tiny target over `tree` would give. */
export class TableScores implements Scores {
  readonly rows: number;
  readonly vocab: number;
  private readonly contexts: number[] = [0];

  constructor(private readonly table: Rows, tree: DraftTree) {
    this.vocab = table.of.vocab;
    this.rows = tree.tokens.length + 1;
    tree.tokens.forEach((token, i) => this.contexts.push(this.contexts[tree.parents[i] + 1] * this.vocab + token + 1));
  }

  /** Context of a row. */
  context(row: number): number {
    return this.contexts[row];
  }

  distribution(row: number): Distribution {
    const d = this.table.p[this.contexts[row]];
    if (d === undefined) throw new RangeError(`row ${row} of ${this.rows}`);
    return d;
  }

  argmax(row: number): number {
    return argmax(this.distribution(row));
  }

  probability(row: number, token: number): number {
    return probability(normalise(this.distribution(row)), token);
  }

  top(row: number, k: number): Candidates {
    const tokens = top(this.distribution(row), k);
    return {
      tokens: Int32Array.from(tokens),
      probabilities: Float32Array.from(tokens, (t) => this.probability(row, t)),
    };
  }

  logits(row: number): Float64Array {
    return Float64Array.from({ length: this.vocab }, (_, t) => Math.log(this.probability(row, t)));
  }
}
