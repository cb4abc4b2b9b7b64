// Mixes of weight types as llama.cpp names them.

export interface Mix {
  /** Of most weights. */
  readonly low: MixType;
  /** Of the output matrix, which is kept in more bits. */
  readonly high: MixType;
  /** In some layers values and down projections are in `high` as well. */
  readonly inLayers?: true;
}

export const MIXES: Readonly<Record<string, Mix>> = {
  q4_k_m: { low: "Q4_K", high: "Q6_K", inLayers: true },
  q4_0: { low: "Q4_0", high: "Q6_K" },
  q8_0: { low: "Q8_0", high: "Q8_0" },
  f16: { low: "F16", high: "F16" },
};

export type MixType = "Q4_K" | "Q5_0" | "Q6_K" | "Q4_0" | "Q8_0" | "F16";

/** What llama.cpp takes where a row is no whole number of blocks. */
export const FALLBACK: Readonly<Partial<Record<MixType, MixType>>> = { Q4_K: "Q5_0", Q6_K: "Q8_0" };

export const MIX_NAMES: readonly string[] = Object.keys(MIXES);
