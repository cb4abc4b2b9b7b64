// One of each drafter, as suites name them.
import { STORIES } from "./setup.ts";
import { count } from "./suite.ts";

/** How much of each data set the suite `drafters` measures. */
export const SIZE: { readonly prompts: number; readonly tokens: number } = {
  prompts: count("prompts", 6),
  tokens: count("tokens", 64),
};

/** The folder of bench/out for its results on a model. */
export const MEASURED = (model: "default" | "stories"): string => `drafters-${model}-${SIZE.prompts}x${SIZE.tokens}`;

/** The target with some of so many layers left out; what a search would take minutes to find is told. */
export const SELF = (layers: number): readonly string[] => {
  const half = layers >> 1;
  const told = [`exit?layer=${half}`, `skip?attention=${half}&feedForward=${half}`, "knn-ssd?sets=2"];
  return ["swift", "clasp", "del", ...told];
};

/** Those that need no draft model, but for the target's own blocks (SELF). `store`: what some of them draft from. */
export const ONE_OF_EACH = (store: string): readonly string[] => [
  ...["auto", "lookup", "suffix", "recycling", "pool", "pool?size=4", "trigram", "stand", "hierarchy", "lookahead"],
  ...["toolspec", "dresd", "cascade:suffix,recycling", "merge:suffix,recycling", "spine:recycling?spine=suffix"],
  ...["graft:trigram?retrieval=suffix", `rest:${store}`, `rasd:recycling?retrieval=(rest:${store})`],
];

const SMALL = `${STORIES}draft41K-tok512.bin`;
const OTHER = `${STORIES}draft41K-tok495-f16.gguf`;

/** Those that do, for stories260K. */
export const WITH_DRAFT: readonly string[] = [
  ...[`model:${SMALL}`, `ouroboros:model:${SMALL}`, `superposed:${SMALL}`],
  ...[`tli:${OTHER}`, `slrs:${OTHER}`, `omnidraft:${OTHER}`, `slem:${OTHER}`],
];
