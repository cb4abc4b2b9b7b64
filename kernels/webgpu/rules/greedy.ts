// greedy on the device: looks only at each row's likeliest token.
import type { Kernel } from "../device.ts";
import { BEST_WORDS, constants } from "../kernels.ts";
import type { RuleOnDevice } from "./device-rule.ts";
import greedyCode from "./greedy.wgsl" with { type: "text" };
import { pack, placesOf, readWalk, VERDICT_BYTES } from "./places.ts";

export const greedyKernel: Kernel = {
  name: "greedy",
  code: constants({ BEST_WORDS }) + greedyCode,
  bindings: ["read", "read", "write"],
};

export const greedy: RuleOnDevice = {
  name: "greedy",
  parts: ["best"],
  kernels: [greedyKernel],
  upload({ tree }) {
    const places = placesOf(tree, () => [])!;
    return {
      words: pack(places, new Float64Array(0)).words,
      numbers: [],
      shape: new Uint32Array(0),
      bytes: VERDICT_BYTES,
      read: (verdict) => readWalk(verdict, tree, places),
    };
  },
  record(run, { best, drafted, verdict }) {
    run(greedyKernel, [best, drafted, verdict], 1);
  },
};
