// block on the device: the first draft of each place, and how much of a chain stands is settled from its end.
import { constants, MOST_ROWS } from "../kernels.ts";
import { kernelOf } from "../layout.ts";
import blockCode from "./block.wgsl" with { type: "text" };
import { owedRows, walking } from "./walking.ts";

export const blockKernel = kernelOf("block", constants({ MOST_ROWS }) + owedRows + blockCode);

export const block = walking(
  "block",
  blockKernel,
  ({ law, trial }) => law === "top-and-one" ? undefined : [trial(0, 0)],
);
