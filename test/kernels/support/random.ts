// Numbers that look random and are the same everywhere, for tests.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  between(low: number, high: number): number;
  /** Whole, 0 … below − 1. */
  whole(below: number): number;
  /** Standard normal. */
  normal(): number;
  chance(probability: number): boolean;
  of<T>(choices: readonly T[]): T;
  maybe<T>(probability: number, make: () => T): T | undefined;
}

/** The mixing function of MurmurHash3 over a counter that starts at a mixed seed. */
export function randomFrom(seed: number): Random {
  let state = mix(mix(seed + 1) ^ 0x5bd1e995);
  const next = () => mix(state = (state + 0x9e3779b9) >>> 0) / 2 ** 32;
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    whole: (below) => Math.floor(next() * below),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    chance: (probability) => next() < probability,
    of: (choices) => choices[Math.floor(next() * choices.length)],
    maybe: (probability, make) => {
      const yes = next() < probability;
      const made = make();
      return yes ? made : undefined;
    },
  };
}

function mix(z: number): number {
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
