// Which blocks to leave out: sets are tried at random and by Bayesian optimisation, and the best of them is kept.
// Practical Bayesian Optimization of Machine Learning Algorithms (Snoek et al., 2012, arXiv 1206.2944); the next set is the
// one whose upper confidence bound is highest.
import type { Skip } from "../backend.ts";
import { type Chance, SeededChance } from "../chance.ts";
import { GaussianProcess } from "../math/gaussian-process.ts";

/** Attention of each layer, then feed-forward of each; 1 where it is left out. */
export type Blocks = Uint8Array;

/** Deviations above the mean: how much is hoped of sets that little is known of. As in the public code of the papers. */
const HOPE = 2.5;
/** Sets that the estimate is made from, the last ones: its time grows with the cube of their number. */
const REMEMBERED = 128;
/** Random sets, beside the neighbours of the best, among which the next one is looked for; and steps from the best of them. */
const STARTS = 64;
const STEPS = 4;

export class BlockSearch {
  readonly #chance: Chance;
  readonly #tried: { readonly blocks: Blocks; readonly score: number }[] = [];
  #best: { readonly blocks: Blocks; readonly score: number } | undefined;

  /**
   * `free`: the layers that may lose blocks. `count`: blocks of a set, ≥ 1; any number, at random up to half of them, where
   * absent. The same seed and scores give the same sets.
   */
  constructor(
    private readonly layers: number,
    private readonly free: readonly number[],
    private readonly count: number | undefined,
    seed: string,
  ) {
    this.#chance = new SeededChance(seed);
  }

  /** The first of the sets with the highest score. */
  get best(): { readonly blocks: Blocks; readonly score: number } | undefined {
    return this.#best;
  }

  /** What leaving out these blocks came to; the more, the better. */
  tell(blocks: Blocks, score: number): void {
    if (this.#best === undefined || score > this.#best.score) this.#best = { blocks, score };
    this.#tried.push({ blocks, score });
    if (this.#tried.length > REMEMBERED) this.#tried.shift();
  }

  random(): Blocks {
    const places = this.#places;
    const count = this.count ?? 1 + this.#below(Math.max(1, places.length >> 1));
    const blocks = new Uint8Array(2 * this.layers);
    for (let i = 0; i < Math.min(count, places.length); i++) {
      const at = i + this.#below(places.length - i);
      [places[i], places[at]] = [places[at], places[i]];
      blocks[places[i]] = 1;
    }
    return blocks;
  }

  /** The set that promises most, of those that are looked at; a random one where nothing was tried. */
  promising(): Blocks {
    if (this.#best === undefined) return this.random();
    const process = new GaussianProcess(this.#tried.map(({ blocks }) => blocks), this.#tried.map(({ score }) => score));
    const known = new Set(this.#tried.map(({ blocks }) => blocks.join("")));
    const hope = (blocks: Blocks) => {
      const { mean, deviation } = process.at(blocks);
      return known.has(blocks.join("")) ? -Infinity : mean + HOPE * deviation;
    };
    let found = { blocks: this.random(), hope: -Infinity };
    const look = (sets: readonly Blocks[]) => {
      for (const blocks of sets) {
        const much = hope(blocks);
        if (much > found.hope) found = { blocks, hope: much };
      }
    };
    look(Array.from({ length: STARTS }, () => this.random()));
    look(this.#neighbours(this.#best.blocks));
    for (let step = 0; step < STEPS; step++) look(this.#neighbours(found.blocks));
    return found.blocks;
  }

  /** One block more or less; where their number is fixed, another one in its place. */
  #neighbours(blocks: Blocks): Blocks[] {
    const flipped = (...places: number[]) => {
      const other = blocks.slice();
      for (const place of places) other[place] ^= 1;
      return other;
    };
    const places = this.#places;
    if (this.count === undefined) return places.map((place) => flipped(place)).filter((other) => other.includes(1));
    const [out, in_] = [places.filter((place) => blocks[place]), places.filter((place) => !blocks[place])];
    return in_.map((place) => flipped(place, ...out.length > 0 ? [out[this.#below(out.length)]] : []));
  }

  get #places(): number[] {
    return [...this.free, ...this.free.map((layer) => this.layers + layer)];
  }

  #below(count: number): number {
    const weights = { vocab: count, probabilities: new Float64Array(count).fill(1) };
    return this.#chance.pick(weights);
  }
}

export function skipOf(blocks: Blocks): Skip {
  const layers = blocks.length / 2;
  const of = (from: number) => Array.from({ length: layers }, (_, layer) => layer).filter((at) => blocks[from + at]);
  return { attention: of(0), feedForward: of(layers) };
}
