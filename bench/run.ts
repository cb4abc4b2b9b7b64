// Runs benchmark suites by name and writes what they measured to bench/out/<suite>.md as well as to stdout; with --docs to
// docs/measured/<suite>.md, which documents quote (scripts/numbers.ts).
//
//   npm run bench                     lists the suites and their options
//   npm run bench -- passes start     runs two of them
//   npm run bench -- all              all of them; half an hour
//
// Suites beside node-llama-cpp install it on demand (see peers/install.ts). Machines are noisy: read ratios.
import { ROOT } from "../scripts/runtimes.ts";
import { HunchError } from "../src/errors.ts";
import { writeOutput } from "../src/output-file.ts";
import { host } from "./report.ts";
import { flag, refuseUnknown, type Suite } from "./suite.ts";

const suites: Record<string, () => Promise<{ default: Suite }>> = {
  passes: () => import("./suites/passes.ts"),
  before: () => import("./suites/before.ts"),
  webgpu: () => import("./suites/webgpu.ts"),
  start: () => import("./suites/start.ts"),
  models: () => import("./suites/models.ts"),
  reuse: () => import("./suites/reuse.ts"),
  store: () => import("./suites/store.ts"),
  tokenizer: () => import("./suites/tokenizer.ts"),
  lookup: () => import("./suites/lookup.ts"),
  equal: () => import("./suites/equal.ts"),
  replay: () => import("./suites/replay.ts"),
  peers: () => import("./suites/peers.ts"),
  controllers: () => import("./suites/controllers.ts"),
  inside: () => import("./suites/inside.ts"),
  overhead: () => import("./suites/overhead.ts"),
  drafters: () => import("./suites/drafters.ts"),
  large: () => import("./suites/large.ts"),
  methods: () => import("./suites/methods.ts"),
  trees: () => import("./suites/trees.ts"),
  vocabularies: () => import("./suites/vocabularies.ts"),
  verification: () => import("./suites/verification.ts"),
  bookkeeping: () => import("./suites/bookkeeping.ts"),
  micro: () => import("./suites/micro.ts"),
  transcripts: () => import("./suites/transcripts.ts"),
  settings: () => import("./suites/settings.ts"),
  claims: () => import("./suites/claims.ts"),
  tune: () => import("./suites/tune.ts"),
  "self-speculation": () => import("./suites/self-speculation.ts"),
  simulate: () => import("./suites/simulate.ts"),
};

const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--")); // flags are the suites' own
if (wanted.length === 0) {
  for (const [name, load] of Object.entries(suites)) {
    const { summary, options = {} } = (await load()).default;
    console.log(`${name.padEnd(12)} ${summary}`);
    const told = Object.entries(options).map(([name, value]) => `--${name}${value && `=${value}`}`).join(" ");
    if (told) console.log(`${" ".repeat(12)} ${told}`);
  }
  process.exit(0);
}
const names = wanted.includes("all") ? Object.keys(suites) : wanted;
for (const name of names) {
  if (!Object.hasOwn(suites, name)) {
    console.error(`bench: no suite ${JSON.stringify(name)}; there are ${Object.keys(suites).join(", ")} and all`);
    process.exit(2);
  }
}
try {
  const known = await Promise.all(names.map(async (name) => (await suites[name]()).default.options ?? {}));
  refuseUnknown(process.argv.slice(2), Object.assign({ docs: "" }, ...known));
  for (const name of names) await measure(name);
} catch (error) {
  if (!(error instanceof HunchError)) throw error;
  console.error(`bench: ${error.line}`);
  process.exit(error.exitCode);
}
process.exit(0);

async function measure(name: string): Promise<void> {
  const { default: suite } = await suites[name]();
  const started = performance.now();
  const { report, versions } = await suite.run();
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  const page = `## ${name}\n\n${suite.summary}. Took ${minutes} minutes.\n\n${host(versions)}\n\n${report}\n`;
  console.log(page);
  const folder = flag("docs") ? "docs/measured" : "bench/out";
  writeOutput(`${ROOT}${folder}/${name}.md`, page, { folders: true });
}
