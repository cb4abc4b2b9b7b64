// top-and-one on the device: the last draft of each place, drawn from what the chosen ones before it leave of q.
import { walking, walkKernel } from "./walking.ts";

export const topAndOne = walking("top-and-one", walkKernel, ({ law, drafts, trial }) => {
  const last = drafts.length - 1;
  return law === "top-and-one" ? [trial(last, last)] : undefined;
});
