// block on the device: the first draft of each place, and how much of a chain stands is settled from its end.
import type { Kernel } from "../device.ts";
import { constants, MOST_ROWS } from "../kernels.ts";
import blockCode from "./block.wgsl" with { type: "text" };
import { owedRows, walking, walkKernel } from "./walking.ts";

export const blockKernel: Kernel = {
  name: "block",
  code: constants({ MOST_ROWS }) + owedRows + blockCode,
  bindings: walkKernel.bindings,
};

export const block = walking(
  "block",
  blockKernel,
  ({ law, trial }) => law === "top-and-one" ? undefined : [trial(0, 0)],
);
