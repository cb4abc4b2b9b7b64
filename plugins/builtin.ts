// The methods that hunch comes with, registered as a stranger's are.
import type { Plugin } from "../src/registry.ts";
import cost from "./controllers/cost.ts";
import fixed from "./controllers/fixed.ts";
import lookup from "./drafters/lookup.ts";
import model, { modelProposer } from "./drafters/model.ts";
import none from "./drafters/none.ts";
import greedy from "./rules/greedy.ts";
import match from "./rules/match.ts";
import token from "./rules/token.ts";
import chain from "./shapes/chain.ts";

/** In the order in which `hunch plugin list` shows them. */
export const builtin: readonly Plugin[] = [
  none,
  lookup,
  model,
  modelProposer,
  chain,
  greedy,
  match,
  token,
  cost,
  fixed,
];
