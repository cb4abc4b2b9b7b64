// The suites whose results documents quote, and the options that they are measured with there (scripts/numbers.ts). The
// pages are docs/measured/<suite>.md.
export const PAGES: Readonly<Record<string, readonly string[]>> = {
  passes: [],
  start: [],
  peers: [],
  lookup: ["--peer"],
  overhead: [],
  controllers: ["--quick"],
  verification: [],
  bookkeeping: [],
  models: [],
  tokenizer: [],
  store: [],
  methods: ["--model=stories", "--prompts=4"],
  trees: [],
  vocabularies: [],
  replay: ["--prompts=4"],
  transcripts: [],
  settings: [],
  claims: [],
  tune: [],
  simulate: [],
};
