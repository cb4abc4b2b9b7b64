// Frequencies of rotary position embedding, with every scaling that model files declare.
//
// RoFormer: Enhanced Transformer with Rotary Position Embedding (2021, arXiv:2104.09864); linear scaling: Extending
// Context Window of Large Language Models via Positional Interpolation (2023, arXiv:2306.15595); YaRN: Efficient Context
// Window Extension of Large Language Models (2023, arXiv:2309.00071); LongRoPE: Extending LLM Context Window Beyond 2
// Million Tokens (2024, arXiv:2402.13753); the Llama 3 Herd of Models (2024, arXiv:2407.21783).

export type RopeScaling =
  | { readonly type: "none" }
  | { readonly type: "linear"; readonly factor: number }
  | {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly original: number;
  }
  | {
    readonly type: "yarn";
    readonly factor: number;
    readonly original: number;
    readonly betaFast: number;
    readonly betaSlow: number;
    /** Bounds of the ramp rounded to whole pairs. */
    readonly truncate: boolean;
    readonly magnitude: number;
  }
  /** Divisors that the file gives for each pair. */
  | { readonly type: "divisors"; readonly divisors: ArrayLike<number>; readonly magnitude: number }
  /** NTK-aware scaling that grows with the text; here it is that of a text of `length` tokens. */
  | { readonly type: "dynamic"; readonly factor: number; readonly original: number; readonly length: number };

interface Rotation {
  readonly frequencies: Float64Array;
  readonly magnitude: number;
}

/** Digits of a frequency. Powers differ between JavaScript engines in the last bit; a converted file does not. */
const DIGITS = 14;

/** Radians per position of each pair, [dimensions / 2], and the factor on cos and sin. */
export function ropeFrequencies(dimensions: number, base: number, scaling: RopeScaling): Rotation {
  const { frequencies, magnitude } = computed(dimensions, base, scaling);
  return { frequencies: frequencies.map((f) => Number(f.toPrecision(DIGITS))), magnitude };
}

function computed(dimensions: number, base: number, scaling: RopeScaling): Rotation {
  const pairs = { length: Math.floor(dimensions / 2) };
  const plain = (theta: number) => Float64Array.from(pairs, (_, i) => theta ** (-2 * i / dimensions));
  const frequencies = plain(base);
  switch (scaling.type) {
    case "none":
      return { frequencies, magnitude: 1 };
    case "linear":
      return { frequencies: frequencies.map((f) => f / scaling.factor), magnitude: 1 };
    case "llama3":
      return { frequencies: frequencies.map((f) => llama3(f, scaling)), magnitude: 1 };
    case "yarn":
      return { frequencies: yarn(frequencies, dimensions, base, scaling), magnitude: scaling.magnitude };
    case "divisors":
      return { frequencies: frequencies.map((f, i) => f / scaling.divisors[i]), magnitude: scaling.magnitude };
    case "dynamic": {
      const { factor, original, length } = scaling;
      if (length <= original) return { frequencies, magnitude: 1 };
      const stretch = factor * length / original - (factor - 1);
      return { frequencies: plain(base * stretch ** (dimensions / (dimensions - 2))), magnitude: 1 };
    }
  }
}

/** Slow pairs are stretched by the factor, fast ones kept, those between blended by their wavelength. */
function llama3(frequency: number, scaling: Extract<RopeScaling, { type: "llama3" }>): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, original } = scaling;
  const turns = original * frequency / (2 * Math.PI); // turns over the original context
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const keep = (turns - low) / (high - low);
  return (1 - keep) * frequency / factor + keep * frequency;
}

/** Pairs that turn often over the original context are kept, rare ones stretched, with a linear ramp between. */
function yarn(
  frequencies: Float64Array,
  dimensions: number,
  base: number,
  scaling: Extract<RopeScaling, { type: "yarn" }>,
): Float64Array {
  const { factor, original, betaFast, betaSlow, truncate } = scaling;
  const pairThatTurns = (turns: number) =>
    dimensions * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(base));
  let low = pairThatTurns(betaFast);
  let high = pairThatTurns(betaSlow);
  if (truncate) {
    low = Math.floor(low);
    high = Math.ceil(high);
  }
  low = Math.max(low, 0);
  high = Math.min(high, dimensions - 1);
  if (low === high) high += 0.001;
  return frequencies.map((f, i) => {
    const stretch = Math.min(1, Math.max(0, (i - low) / (high - low)));
    return stretch * f / factor + (1 - stretch) * f;
  });
}

/** YaRN's factor on cos and sin for a stretch (its section 3.4), times `weight`. */
export function yarnMagnitude(factor: number, weight = 1): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}

/** LongRoPE's factor on cos and sin. */
export function longropeMagnitude(factor: number, original: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
}
