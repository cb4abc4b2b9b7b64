// Runs every test file and every check, and prints the sum as the last line: `N passed, M failed`.
//
//   npm test                         under Bun
//   npx deno task test               under Deno
//   npm test -- --runtimes bun,deno  under both, one sum
//   npm test -- tree rule            only files with one of these words in their path; no checks
//   npm test -- --swiftshader        WebGPU in software where there is no GPU (scripts/swiftshader.ts)
//
// Each file runs in a process of its own: a crash in native code costs that file alone, and is counted. Two at a time, the
// longest first. Under several runtimes, what cannot differ between them runs in full under the first, and in part under
// the others (test/support/part.ts). Tests that were skipped are told with their reasons before the last line; to skip
// without a reason is a failure.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checks, complaintsOf, sources } from "./check.ts";
import { run } from "./process.ts";
import { command, CURRENT, ROOT, type Runtime } from "./runtimes.ts";
import { gpuFor } from "./swiftshader.ts";

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    runtimes: { type: "string", default: CURRENT },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    swiftshader: { type: "boolean", default: false },
  },
});
const runtimes = values.runtimes.split(",").map((name): Runtime => {
  if (name === "bun" || name === "deno") return name;
  console.error(`scripts/test.ts: no runtime ${JSON.stringify(name)}; there are bun and deno`);
  process.exit(2);
});
const files = sources(["test"]).filter((path) => path.endsWith(".test.ts")).filter((path) =>
  positionals.length === 0 || positionals.some((word) => path.includes(word))
);

/** Files that take long, longest first: none of them is to be left alone at the end. */
const LONG = [
  "kernels/default-model",
  "kernels/webgpu-",
  "cli/binary",
  "kernels/onnx-blocks",
  "cli/cases",
  "cli/",
  "kernels/onnx-",
  "rules/",
];

function rank(path: string): number {
  const at = LONG.findIndex((word) => path.includes(word));
  return at < 0 ? LONG.length : at;
}

const total: Count = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), "hunch-test-"));
const broken: string[] = [];
/** Tests skipped, by reason. */
const skipped = new Map<string, number>();
/** For people: where WebGPU comes from. */
const gpus: string[] = [];
/** What the processes of each runtime find in their environment. */
const environments = new Map<Runtime, Record<string, string>>();
for (const runtime of values.swiftshader ? runtimes : []) {
  const { env, told } = gpuFor(runtime);
  gpus.push(`WebGPU under ${runtime}: ${told}`);
  environments.set(runtime, env);
}
try {
  const ordered = files.toSorted((a, b) => rank(a) - rank(b));
  const jobs = ordered.flatMap((path) => runtimes.map((runtime) => () => testFile(runtime, path)));
  if (positionals.length === 0) jobs.unshift(...checks.map((check) => () => checkSource(check)));
  const workers = Math.max(1, Number(values.jobs) || 1);
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  }));
} finally {
  rmSync(reports, { recursive: true, force: true });
}
for (const line of broken) console.log(`failed: ${line}`);
if (files.length === 0) console.log("no test file found");
for (const line of gpus) console.log(line);
for (const [reason, count] of skipped) console.log(`skipped: ${count}: ${reason}`);
console.log(
  `${total.passed} passed, ${total.failed} failed` + (total.skipped > 0 ? `, ${total.skipped} skipped` : ""),
);
process.exit(total.failed === 0 && total.passed > 0 && files.length > 0 ? 0 : 1);

async function testFile(runtime: Runtime, path: string): Promise<void> {
  const report = join(reports, `${runtime}-${path.replaceAll(/[^\w.]/g, "-")}.xml`);
  const flags = runtime === "bun"
    ? ["test", "--timeout=600000", "--reporter=junit", `--reporter-outfile=${report}`, `./${path}`]
    : ["test", "-A", "--no-prompt", "--no-check", `--junit-path=${report}`, path];
  const started = performance.now();
  const { code, output } = await run([...command(runtime), ...flags], {
    ...environments.get(runtime),
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
    TMPDIR: reports, // what a killed test leaves behind goes with it
    XDG_CACHE_HOME: join(ROOT, "node_modules", ".cache"), // not the cache of whoever runs the tests
    HUNCH_TEST_PARTLY: runtime === runtimes[0] ? "" : "1",
  });
  const count = readReport(report);
  // A file that ended badly without a failed test, or that ran nothing, is a failure of its own.
  if (count.failed === 0 && (code !== 0 || count.passed + count.skipped === 0)) count.failed = 1;
  const reasons = (pattern: RegExp) => [...output.matchAll(pattern)].map(([, why]) => why);
  const ones = reasons(/^skipping one: (.+)$/gm);
  if (runtime === "deno") { // which counts as passed what is skipped while it runs
    count.passed -= ones.length;
    count.skipped += ones.length;
  }
  for (const reason of ones) tellSkipped(reason, 1);
  if (count.skipped > ones.length) {
    const reason = [...new Set(reasons(/^skipping: (.+)$/gm))].join("; or ");
    if (!reason) count.failed++;
    tellSkipped(reason || `${path} does not say why`, count.skipped - ones.length);
  }
  add(count, `${path} (${runtime})`, started, output);
}

function tellSkipped(reason: string, tests: number): void {
  skipped.set(reason, (skipped.get(reason) ?? 0) + tests);
}

async function checkSource(check: typeof checks[number]): Promise<void> {
  const started = performance.now();
  const complaints = await complaintsOf(check);
  const failed = complaints.length > 0;
  add({ passed: failed ? 0 : 1, failed: failed ? 1 : 0, skipped: 0 }, check.name, started, complaints.join("\n"));
}

function add(count: Count, what: string, started: number, output: string): void {
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${count.failed === 0 ? "ok    " : "FAILED"} ${what}: ${count.passed} in ${seconds} s`);
  if (count.failed === 0) return;
  broken.push(what);
  console.log(output);
}

/** Counts the cases of a JUnit file; zeros where the runner died before it wrote one. */
function readReport(path: string): Count {
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return count;
  }
  for (const testcase of text.split("<testcase ").slice(1)) {
    if (/<(?:failure|error)\b/.test(testcase)) count.failed++;
    else if (testcase.includes("<skipped")) count.skipped++;
    else count.passed++;
  }
  return count;
}
