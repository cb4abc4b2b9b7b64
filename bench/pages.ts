// The suites whose results documents quote, and the options that they are measured with there (scripts/numbers.ts). The
// pages are docs/measured/<suite>.md.

/** Drafters in the table of docs/drafters.md. */
const REPLAYED = ["lookup", "lookup?branches=3", "suffix", "recycling", "pool", "pool?size=4", "trigram", "stand"]
  .concat(
    ["hierarchy", "lookahead", "cascade:lookup,recycling", "cascade:suffix,recycling", "merge:suffix,recycling"],
    ["merge:suffix,lookup,recycling", "merge:(suffix?factor=4&least=0.02),recycling,trigram"],
    ["spine:recycling?spine=suffix", "graft:trigram?retrieval=suffix", "auto"],
  );

export const PAGES: Readonly<Record<string, readonly string[]>> = {
  passes: [],
  start: [],
  peers: ["--prompts=2", "--tokens=32", "--turns=1"],
  lookup: ["--peer"],
  overhead: [],
  controllers: ["--quick"],
  verification: [],
  bookkeeping: [],
  models: [],
  tokenizer: [],
  store: [],
  drafters: ["--seconds=270"],
  large: [],
  reuse: ["--prompts=3", "--tokens=48"],
  methods: ["--model=stories", "--prompts=4"],
  trees: [],
  vocabularies: [],
  replay: ["--prompts=4", `--drafters=${REPLAYED.map((name) => `(${name})`).join()}`],
  transcripts: [],
  settings: [],
  claims: [],
  tune: [],
  simulate: [],
  "self-speculation": [],
  inside: [],
};
