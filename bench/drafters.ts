// One of each drafter, as suites name them.
import { STORIES } from "./setup.ts";

/** Those that need no draft model. `store`: what some of them draft from. */
export const ONE_OF_EACH = (store: string): readonly string[] => [
  ...["auto", "lookup", "suffix", "recycling", "pool", "pool?size=4", "trigram", "stand", "hierarchy", "lookahead"],
  ...["toolspec", "cascade:suffix,recycling", "merge:suffix,recycling", "spine:recycling?spine=suffix"],
  ...["graft:trigram?retrieval=suffix", `rest:${store}`, `rasd:recycling?retrieval=(rest:${store})`],
  ...["skip", "swift", "clasp", "knn-ssd", "exit", "del"],
];

const SMALL = `${STORIES}draft41K-tok512.bin`;
const OTHER = `${STORIES}draft41K-tok495-f16.gguf`;

/** Those that do, for stories260K. */
export const WITH_DRAFT: readonly string[] = [
  ...[`model:${SMALL}`, `ouroboros:model:${SMALL}`, `superposed:${SMALL}`],
  ...[`tli:${OTHER}`, `slrs:${OTHER}`, `omnidraft:${OTHER}`, `slem:${OTHER}`],
];
