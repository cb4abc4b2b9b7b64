// n-gram models of texts: how often each token followed the last few ones. Of this text, of earlier answers of the run, and
// of a store where there is one; nothing is trained, counts are looked up.
import type { Corpus } from "../store/corpus.ts";
import { EarlierTexts } from "./earlier-texts.ts";
import { START, SuffixAutomaton } from "./suffix-automaton.ts";
import { TokenBuffer } from "./tokens.ts";

/** Tokens of earlier answers. */
const EARLIER = 100_000;

/** Memory: less than 300 bytes a token of the text and of earlier answers, 45 MB of those at most. */
export class NgramModel {
  readonly #text = new TokenBuffer();
  #prompt = 0;
  #own = new SuffixAutomaton();
  readonly #earlier = new EarlierTexts(EARLIER);

  /**
   * `weights`: by tokens of the context, what those n-grams count, together at most 1; `corpus` is asked for every draft,
   * for a store may have grown.
   */
  constructor(private readonly weights: readonly number[], private readonly corpus: () => Corpus | undefined) {}

  /** A new text starts; the answer of the last one stays. */
  begin(prompt: Int32Array): void {
    this.#earlier.add(this.#text.view.subarray(this.#prompt));
    this.#prompt = prompt.length;
    this.#own = new SuffixAutomaton();
    this.#text.clear();
    this.append(prompt);
  }

  append(tokens: Int32Array): void {
    this.#text.append(tokens);
    for (const token of tokens) this.#own.append(token);
    this.#earlier.tidy();
  }

  /** The text with its prompt; a view. */
  get text(): Int32Array {
    return this.#text.view;
  }

  /**
   * How likely each of `tokens` comes after `context`: the weighted mean of the models that have seen its last tokens;
   * what belongs to the others goes to `otherwise`, [tokens], the probabilities of somebody else.
   */
  interpolated(context: readonly number[], tokens: ArrayLike<number>, otherwise: ArrayLike<number>): Float64Array {
    const out = new Float64Array(tokens.length);
    let left = 1;
    for (let length = Math.min(this.weights.length, context.length); length > 0; length--) {
      const counts = this.#counts(context.slice(-length), tokens);
      if (counts === undefined) continue;
      left -= this.weights[length - 1];
      for (let i = 0; i < out.length; i++) out[i] += this.weights[length - 1] * counts[i];
    }
    for (let i = 0; i < out.length; i++) out[i] += left * otherwise[i];
    return out;
  }

  /** Shares of the tokens among all that followed; undefined where nothing ever did. */
  #counts(context: readonly number[], tokens: ArrayLike<number>): Float64Array | undefined {
    const counts = new Map<number, number>();
    let all = 0;
    const add = (token: number, count: number) => {
      all += count;
      counts.set(token, (counts.get(token) ?? 0) + count);
    };
    for (const automaton of [this.#own, this.#earlier.automaton]) {
      let state = START;
      for (const token of context) state = state < 0 ? state : automaton.step(state, token);
      if (state >= 0) automaton.forEachNext(state, (token, to) => add(token, automaton.count(to)));
    }
    const places = this.corpus()?.find(context, context.length, context.length);
    for (const { token, places: after } of places?.next() ?? []) add(token, after.count);
    return all === 0 ? undefined : Float64Array.from(tokens, (token) => (counts.get(token) ?? 0) / all);
  }
}
