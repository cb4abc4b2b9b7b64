// greedy on the device: looks only at each row's likeliest token.
import { BEST_WORDS, constants } from "../kernels.ts";
import { kernelOf } from "../layout.ts";
import type { RuleOnDevice } from "./device-rule.ts";
import greedyCode from "./greedy.wgsl" with { type: "text" };
import { pack, placesOf, readWalk, VERDICT_BYTES } from "./places.ts";

export const greedyKernel = kernelOf("greedy", constants({ BEST_WORDS }) + greedyCode);

export const greedy: RuleOnDevice = {
  name: "greedy",
  parts: ["best"],
  kernels: [greedyKernel],
  upload({ tree }) {
    const places = placesOf(tree, () => [])!;
    return {
      words: pack(places, new Float64Array(0)).words,
      numbers: [],
      bytes: VERDICT_BYTES,
      read: (verdict) => readWalk(verdict, tree, places),
    };
  },
  record(run, { best, drafted, verdict }) {
    run(greedyKernel, [best, drafted, verdict], 1);
  },
};
