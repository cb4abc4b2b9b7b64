// The shapes of real models, for files with random weights: what passes cost depends on the shape, not on the weights.

export interface RealShape {
  readonly architecture: "llama" | "qwen3";
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly feedForward: number;
  readonly vocab: number;
  /** The embedding is the output matrix as well. */
  readonly tied: boolean;
  readonly context: number;
  readonly ropeBase: number;
  readonly epsilon: number;
}

const llama = (
  [width, layers, heads, kvHeads, headSize, feedForward]: readonly [number, number, number, number, number, number],
  rest: Partial<RealShape> = {},
): RealShape => ({
  architecture: "llama",
  ...{ width, layers, heads, kvHeads, headSize, feedForward },
  ...{ vocab: 128256, tied: true, context: 131072, ropeBase: 500000, epsilon: 1e-5 },
  ...rest,
});

const qwen3 = (
  [width, layers, heads, kvHeads, headSize, feedForward]: readonly [number, number, number, number, number, number],
  rest: Partial<RealShape> = {},
): RealShape => ({
  architecture: "qwen3",
  ...{ width, layers, heads, kvHeads, headSize, feedForward },
  ...{ vocab: 151936, tied: true, context: 40960, ropeBase: 1000000, epsilon: 1e-6 },
  ...rest,
});

const SMOL = { vocab: 49152, context: 8192, ropeBase: 100000 };

/** As their configurations on Hugging Face have them. */
export const REAL_SHAPES: Readonly<Record<string, RealShape>> = {
  "smollm2-135m": llama([576, 30, 9, 3, 64, 1536], SMOL),
  "smollm2-360m": llama([960, 32, 15, 5, 64, 2560], SMOL),
  "smollm2-1.7b": llama([2048, 24, 32, 32, 64, 8192], { ...SMOL, ropeBase: 130000 }),
  "llama-1b": llama([2048, 16, 32, 8, 64, 8192]),
  "llama-3b": llama([3072, 28, 24, 8, 128, 8192]),
  "llama-8b": llama([4096, 32, 32, 8, 128, 14336], { tied: false }),
  "qwen3-0.6b": qwen3([1024, 28, 16, 8, 128, 3072]),
  "qwen3-1.7b": qwen3([2048, 28, 16, 8, 128, 6144]),
  "qwen3-4b": qwen3([2560, 36, 32, 8, 128, 9728]),
  "qwen3-8b": qwen3([4096, 36, 32, 8, 128, 12288], { tied: false }),
};
