// Mixes of weight types as llama.cpp names them.

/** Most weights, and those that are kept in more bits: the output matrix, and in some layers values and down projections. */
export const MIXES: Readonly<Record<string, readonly [low: MixType, high: MixType]>> = {
  q4_k_m: ["Q4_K", "Q6_K"],
  q4_0: ["Q4_0", "Q6_K"],
  q8_0: ["Q8_0", "Q8_0"],
  f16: ["F16", "F16"],
};

export type MixType = "Q4_K" | "Q6_K" | "Q4_0" | "Q8_0" | "F16";

export const MIX_NAMES: readonly string[] = Object.keys(MIXES);
