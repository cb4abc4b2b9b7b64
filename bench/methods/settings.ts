// What the suite `methods` runs where nothing is asked for: every rule, every controller, every way to draft.
import type { Setting } from "./bed.ts";

const FIXED = "fixed?nodes=6&depth=3";

const pair = (rule: string, shape: string): Setting => ({
  drafter: `DRAFT?shape=${shape}`,
  rule,
  controller: FIXED,
});

/** Each rule with a shape for it. `greedy`, for temperature 0 alone, is with the controllers and drafters. */
export const PAIRS: readonly Setting[] = [
  pair("match", "chain"),
  pair("token", "chain"),
  pair("block", "chain"),
  pair("match", "gumbel?widths=2,1"),
  pair("recursive", "gumbel?widths=2,1"),
  pair("traversal", "gumbel?widths=2,1"),
  pair("optimal-transport", "gumbel?widths=2,1"),
  pair("k-seq", "iid?paths=2"),
  pair("importance", "iid?paths=2"),
  pair("traversal", "iid?paths=2"),
  pair("top-and-one", "top-and-one?widths=2,1"),
  pair("spechub", "top-and-one?widths=2,1"),
  pair("typical", "chain"),
  pair("lenient", "chain"),
  pair("alignment", "chain"),
  pair("reflective", "chain"),
  pair("neighbour", "chain"),
  pair("target-init", "target-init?count=2"),
];

/** It has a judge of the default model alone. */
export const JUDGED: Setting = pair("judge", "chain");

export const CONTROLLERS: readonly string[] = [
  "fixed?nodes=4",
  "cost",
  "goodput",
  "confidence",
  "confidence?published&most=6",
  "entropy",
  "entropy?published&most=40",
  "specdec++",
  "specdec++?published",
  "bandit",
  "bandit?published",
  "speckv-gamma",
  "speckv-gamma?published",
];

export const DRAFTERS: readonly Setting[] = [
  "lookup",
  "DRAFT",
  "DRAFT?shape=opt-tree",
  "DRAFT?shape=dynamic",
  "DRAFT?shape=beam",
  "DRAFT?shape=dyspec",
  "spine",
  "spine:(DRAFT)",
  "graft:(DRAFT)",
].map((drafter) => ({ drafter, rule: "greedy", controller: FIXED }));
