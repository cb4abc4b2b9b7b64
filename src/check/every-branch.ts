// Chance that follows every branch: the exact distribution of what code does, by running it once per branch.
import { type Chance, refuseSum } from "../chance.ts";
import type { Distribution } from "../math/distribution.ts";

/** One thing that can happen, and how likely it is. */
export interface Outcome<T> {
  readonly value: T;
  readonly probability: number;
}

/**
 * Chance that follows every branch. Run the same deterministic code once per branch: each run repeats the decisions
 * before the last one that still has something else to offer, and takes its next offer. Branches of probability 0 are
 * left out. `everyBranch` drives it.
 */
export class EnumeratingChance implements Chance {
  /** The decisions of the current run: what each offers, and which offer is taken. */
  private readonly trail: { tokens: number[]; weights: number[]; taken: number }[] = [];
  private at = 0;
  /** Probability of the branch so far. */
  probability = 1;

  flip(probability: number): boolean {
    const p = Math.min(1, Math.max(0, probability));
    if (Number.isNaN(p)) throw new RangeError("cannot flip: the probability is not a number");
    return this.decide(() => ({ tokens: [1, 0], weights: [p, 1 - p] })) === 1;
  }

  pick(weights: Distribution): number {
    return this.decide(() => this.offersOf(weights));
  }

  /** The tokens that may be drawn and how likely each is. */
  protected offersOf(weights: Distribution): { tokens: number[]; weights: number[] } {
    const sum = weights.probabilities.reduce((a, b) => a + b, 0);
    refuseSum(sum);
    const tokens = Array.from(weights.probabilities, (_, i) => weights.tokens === undefined ? i : weights.tokens[i]);
    return { tokens, weights: Array.from(weights.probabilities, (weight) => weight / sum) };
  }

  /** Goes through the same branch once more. */
  again(): void {
    this.at = 0;
    this.probability = 1;
  }

  /** Moves to the next branch; false when all were seen. */
  advance(): boolean {
    this.again();
    while (this.trail.length > 0) {
      const last = this.trail[this.trail.length - 1];
      if (++last.taken < last.tokens.length) return true;
      this.trail.pop();
    }
    return false;
  }

  private decide(offers: () => { tokens: number[]; weights: number[] }): number {
    if (this.at === this.trail.length) {
      const { tokens, weights } = offers();
      const possible = tokens.map((_, i) => i).filter((i) => weights[i] > 0);
      this.trail.push({
        tokens: possible.map((i) => tokens[i]),
        weights: possible.map((i) => weights[i]),
        taken: 0,
      });
    }
    const { tokens, weights, taken } = this.trail[this.at++];
    this.probability *= weights[taken];
    return tokens[taken];
  }
}

/** Code that was run twice with the same chance did not do the same. */
export class HiddenRandomness extends Error {
  override readonly name = "HiddenRandomness";
}

/**
 * Every outcome of `run` with its probability, one per branch; equal values are not merged. `run` must take all its
 * chance from the argument and be deterministic otherwise. `told`: what makes a value what it is, in words; with it every
 * branch is run twice, and HiddenRandomness is thrown where the words differ.
 */
export function* everyBranch<T>(
  run: (chance: Chance) => T,
  told?: (value: T) => string,
  chance = new EnumeratingChance(),
): Generator<Outcome<T>> {
  do {
    const value = run(chance);
    const { probability } = chance;
    if (told !== undefined) {
      chance.again();
      sameAgain(told(value), told(run(chance)));
    }
    yield { value, probability };
  } while (chance.advance());
}

/** Every outcome of asynchronous code, for drafters and tree shapes; see `everyBranch`. */
export async function everyBranchAsync<T>(
  run: (chance: Chance) => Promise<T>,
  told?: (value: T) => string,
): Promise<Outcome<T>[]> {
  const chance = new EnumeratingChance();
  const outcomes: Outcome<T>[] = [];
  do {
    const value = await run(chance);
    const { probability } = chance;
    if (told !== undefined) {
      chance.again();
      sameAgain(told(value), told(await run(chance)));
    }
    outcomes.push({ value, probability });
  } while (chance.advance());
  return outcomes;
}

function sameAgain(first: string, second: string): void {
  if (first !== second) throw new HiddenRandomness(`the same chance gave ${first}, then ${second}`);
}
