// recursive on the device: one draft of a place after the other, each against what was left to draw it from.
import type { Trial } from "./places.ts";
import { walking, walkKernel } from "./walking.ts";

export const recursive = walking("recursive", walkKernel, ({ law, drafts, chosen, trial }) => {
  const last = drafts.length - 1;
  const trials: Trial[] = [];
  for (let i = 0; i <= last; i++) {
    const picked = law === "point" || (law === "top-and-one" && i < last);
    const one = picked ? chosen(i) : trial(i, law === "iid" ? 0 : i);
    if (one === undefined) break;
    trials.push(one);
  }
  return trials;
});
