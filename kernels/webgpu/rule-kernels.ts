// The kernels of verification rules as the device takes them. Their float64 is made of whole numbers (ops/f64.wgsl).
import { ROUNDING } from "../../src/math/distribution.ts";
import type { Kernel } from "./device.ts";
import { BEST_WORDS, constants, MOST_ROWS } from "./kernels.ts";
import blockCode from "./ops/block.wgsl" with { type: "text" };
import f64Code from "./ops/f64.wgsl" with { type: "text" };
import factorsCode from "./ops/factors.wgsl" with { type: "text" };
import greedyCode from "./ops/greedy.wgsl" with { type: "text" };
import owedCode from "./ops/owed.wgsl" with { type: "text" };
import sweepCode from "./ops/sweep.wgsl" with { type: "text" };
import typicalCode from "./ops/typical.wgsl" with { type: "text" };
import walkCode from "./ops/walk.wgsl" with { type: "text" };

/** Arithmetic in float64, for kernels that need it. How many numbers below and above 1 count as 1 is set in front. */
export const float64Code = constants({ NEAR_BELOW: ROUNDING * 2 ** 53, NEAR_ABOVE: ROUNDING * 2 ** 52 }) + f64Code;

export const factorsKernel: Kernel = {
  name: "factors",
  code: float64Code + sweepCode + factorsCode,
  bindings: ["uniform", "read", "write"],
};

export const walkKernel: Kernel = {
  name: "walk",
  code: float64Code + sweepCode + owedCode + walkCode,
  bindings: ["uniform", "read", "read", "read", "read", "write", "write"],
};

export const blockKernel: Kernel = {
  name: "block",
  code: constants({ MOST_ROWS }) + float64Code + sweepCode + owedCode + blockCode,
  bindings: walkKernel.bindings,
};

export const typicalKernel: Kernel = {
  name: "typical",
  code: float64Code + sweepCode + typicalCode,
  bindings: ["uniform", "read", "read", "read", "read", "write"],
};

export const greedyKernel: Kernel = {
  name: "greedy",
  code: constants({ BEST_WORDS }) + greedyCode,
  bindings: ["read", "read", "write"],
};
