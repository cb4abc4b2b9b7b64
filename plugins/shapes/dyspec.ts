// dyspec: the next draw is always made where it is likeliest to be accepted, given what was drawn so far.
// DySpec: Faster Speculative Decoding with Dynamic Token Tree Structure (Xiong et al., 2024, arXiv 2410.11744),
// algorithm 1: a place is worth s, how likely it is come to: that its path stands and its elder siblings are all refused.
// Drawing y there from R (q without the elders) makes a child worth s·R(y) and leaves s·(1 − R(y)) for the next sibling.
//
// Children are drawn without replacement, but whether there is a next one depends on those before it. So the law is
// `beam` and not `distinct`: a rule that counts on a number of draws that was settled beforehand, such as
// optimal-transport, is not lossless here; `recursive` judges one draw after the other and is.
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Best } from "./best.ts";
import { Growing } from "./growing.ts";

/** A place for one more child. */
interface Place {
  readonly parent: number;
  readonly worth: number;
}

/** Places worth less than `threshold` are left empty, 0 ≤ threshold < 1. */
export function dySpec(threshold: number): TreeShape {
  return {
    name: "dyspec",
    law: "beam",
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      const places = new Best<Place>(({ worth }) => worth);
      let unasked: number[] = [];
      const open = (parent: number, worth: number) => {
        if (!growing.deeper(parent)) return;
        unasked.push(parent);
        places.add({ parent, worth });
      };
      open(-1, 1);
      while (growing.room > 0) {
        const place = places.take();
        if (place === undefined || !(place.worth > 0) || place.worth < threshold) break;
        const { parent, worth } = place;
        if (growing.unasked(parent)) { // one pass for all that may be asked about later
          await growing.ask(unasked);
          unasked = [];
        }
        if (growing.q(parent) === undefined) continue; // the proposer has no more to say
        const left = growing.left(parent);
        const node = growing.addAnother(parent, chance);
        if (node === undefined) continue; // nothing is left to draw
        const likely = growing.confidence[node] / left;
        open(node, worth * likely);
        places.add({ parent, worth: worth * (1 - likely) });
      }
      return growing.tree("beam");
    },
  };
}

export default definePlugin({
  kind: "shape",
  name: "dyspec",
  summary: "draws wherever a draft is likeliest to stand, one after the other",
  paper: {
    title: "DySpec: Faster Speculative Decoding with Dynamic Token Tree Structure",
    year: 2024,
    arxiv: "2410.11744",
  },
  options: {
    threshold: { type: "number", default: 0, min: 0, max: 1, summary: "leave places empty that are worth less" },
  },
  create: ({ threshold }) => dySpec(threshold),
});
