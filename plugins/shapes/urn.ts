// Draws without replacement from a distribution as long as a vocabulary, cheaply. Not a shape.
//
// The likeliest tokens are looked up once and kept apart: most draws are among them and cost as many steps as they are.
// Only a draw of one of the others looks through the whole vocabulary again.
import type { Chance } from "../../src/chance.ts";
import { type Distribution, mass, massWithout, probability, top } from "../../src/math/distribution.ts";
import { LIKELIEST } from "../../src/draft/proposed.ts";

export class Urn {
  readonly #q: Distribution;
  /** Likeliest tokens that are left, most likely first, and their probabilities. */
  readonly #tokens: number[];
  readonly #weights: number[];
  /** What the others have left, together; and they alone, once one of them was drawn. */
  #others: number;
  #rest: Distribution | undefined;
  readonly #head: readonly number[];

  /** `head`: how many tokens are kept apart. */
  constructor(q: Distribution, head = 64) {
    this.#q = q;
    const likeliest = top(q, head + 1);
    this.#head = likeliest.slice(0, head);
    this.#tokens = [...this.#head];
    this.#weights = this.#tokens.map((token) => probability(q, token));
    // Never what is missing from 1: where the likeliest have nearly all, that is rounding and not what the others have.
    this.#others = likeliest.length <= head ? 0 : massWithout(q, this.#head);
  }

  /** What all that is left sums to; 0 where nothing is. */
  get left(): number {
    return mass(this.#places());
  }

  /** Takes out a token drawn from what is left; undefined where nothing is. */
  draw(chance: Chance): number | undefined {
    const places = this.#places();
    if (!(mass(places) > 0)) return undefined;
    const count = this.#tokens.length;
    if (chance === LIKELIEST && count > 0) return this.#take(0);
    const place = chance.pick(places);
    return place < count ? this.#take(place) : this.#drawOther(chance);
  }

  /** Takes out a token that was chosen otherwise. */
  remove(token: number): void {
    const place = this.#tokens.indexOf(token);
    if (place >= 0) this.#take(place);
    else this.#takeOther(token);
  }

  /** The tokens kept apart, by place, and last the others together. */
  #places(): Distribution {
    return { vocab: this.#weights.length + 1, probabilities: Float64Array.of(...this.#weights, this.#others) };
  }

  #take(place: number): number {
    this.#weights.splice(place, 1);
    return this.#tokens.splice(place, 1)[0];
  }

  #drawOther(chance: Chance): number {
    const token = chance.pick(this.#restOf());
    this.#takeOther(token);
    return token;
  }

  #takeOther(token: number): void {
    const rest = this.#restOf();
    this.#zero(rest, token);
    this.#others = mass(rest); // summed anew, so that it is 0 where and only where nothing is left
  }

  /** A copy of q without the tokens that were kept apart. */
  #restOf(): Distribution {
    if (this.#rest === undefined) {
      this.#rest = { ...this.#q, probabilities: this.#q.probabilities.slice() };
      for (const token of this.#head) this.#zero(this.#rest, token);
    }
    return this.#rest;
  }

  #zero(d: Distribution, token: number): void {
    const place = d.tokens === undefined ? token : d.tokens.indexOf(token);
    if (place >= 0) d.probabilities[place] = 0;
  }
}
