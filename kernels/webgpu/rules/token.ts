// token on the device: the first draft of each place is tried against all of q.
import { walking, walkKernel } from "./walking.ts";

export const token = walking(
  "token",
  walkKernel,
  ({ law, trial }) => law === "top-and-one" ? undefined : [trial(0, 0)],
);
