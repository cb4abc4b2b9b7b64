// What the kernels of rules that draw share: float64 made of whole numbers (f64.wgsl), and each row's sum.
import { ROUNDING } from "../../../src/math/distribution.ts";
import { constants } from "../kernels.ts";
import { kernelOf } from "../layout.ts";
import f64Code from "./f64.wgsl" with { type: "text" };
import factorsCode from "./factors.wgsl" with { type: "text" };
import sweepCode from "./sweep.wgsl" with { type: "text" };

/** Arithmetic in float64, for kernels that need it. How many numbers below and above 1 count as 1 is set in front. */
export const float64Code = constants({ NEAR_BELOW: ROUNDING * 2 ** 53, NEAR_ABOVE: ROUNDING * 2 ** 52 }) + f64Code;

/** Float64 and sums over a row of probabilities. */
export const rowCode = float64Code + sweepCode;

export const factorsKernel = kernelOf("factors", rowCode + factorsCode);
