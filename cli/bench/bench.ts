// hunch bench: settings beside plain decoding on the same prompts, in turns, in one process.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, HunchError } from "../../src/errors.ts";
import { writeOutput } from "../../src/output-file.ts";
import { openCache } from "../cache/cache.ts";
import { openStore } from "../cache/stores.ts";
import { DEFAULT_DRAFTER, openRegistry } from "../engine/methods.ts";
import { interruptible } from "../input/interrupt.ts";
import { asOption, refuseIdle, samplingOf } from "../input/sampling.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout, warn } from "../output/streams.ts";
import { csv } from "./csv.ts";
import { DATA_SETS, type Task, tasksOf } from "./data.ts";
import { html } from "./html.ts";
import { Live } from "./live.ts";
import { Log, OTHER_FOLDER } from "./log.ts";
import { commandLine, machine, peakMiB, waitedMs } from "./machine.ts";
import { markdown } from "./markdown.ts";
import { curveOf, fastestOf, measureGroup } from "./measure.ts";
import type { BenchCommand } from "./options.ts";
import { FORMAT_VERSION, key, type Memory, type Plan, type Results, type Unsummed } from "./results.ts";
import { rowsOf } from "./rows.ts";
import { settingsOf } from "./settings.ts";
import { Stand } from "./stand.ts";
import { workingSettings } from "./warm-up.ts";
import { warningsOf } from "./warnings.ts";

/** Returns the exit code. */
export async function bench(options: BenchCommand): Promise<number> {
  const { temperature, maxTokens, seed, turns } = options;
  const sampling = samplingOf(options, asOption);
  refuseIdle({ ...options, seed: undefined }, temperature, asOption);
  const data = options.data.length > 0 ? options.data : DATA_SETS;
  const tasks = await tasksOf(data, options.prompts);
  const wanted = { ...options, drafters: options.drafters.length > 0 ? options.drafters : [DEFAULT_DRAFTER] };
  const asked = settingsOf(wanted, temperature, await openRegistry(options.plugins));
  if (options.store !== undefined) openStore(options.store).close(); // none is made: an empty one would be measured
  const status = new Status();
  const own = { drafter: "none", rule: undefined, controller: undefined, overflow: "truncate" } as const;
  const stand = await Stand.open({ ...options, ...own, sampling }, status.progress);
  try {
    const settings = await workingSettings(stand, asked, status.progress);
    status.end();
    const { source, format, name: engine } = stand.engine;
    const plan: Plan = {
      version: FORMAT_VERSION,
      model: { title: source.title, path: source.path, hash: await source.hash(openCache()) },
      engine,
      format,
      strict: options.strict,
      settings,
      data,
      prompts: tasks.map(key),
      texts: tasks.map(({ text }) => beginningOfHash(text)),
      raw: options.raw,
      sampling,
      seed,
      maxTokens,
      turns,
      threads: options.threads ?? null,
      context: stand.engine.context,
      device: options.device ?? "",
      store: options.store ?? "",
      plugins: options.plugins.map((file) => `${resolve(file)} ${beginningOfHash(readFileSync(file))}`),
      hunch: machine().hunch,
    };
    const log = Log.open(resolve(options.out, "runs.jsonl"), plan, options.resume);
    const { results, stopped } = await interruptible(async (interrupt) => {
      const limit = options.seconds === undefined ? [] : [AbortSignal.timeout(1000 * options.seconds)];
      const results = await measure(stand, plan, tasks, log, options, AbortSignal.any([interrupt, ...limit]));
      return { results, stopped: interrupt.aborted };
    });
    if (results === undefined) {
      if (stopped) return EXIT.interrupted;
      throw new HunchError("usage", `${options.seconds} s are not enough for one prompt`, { hint: "raise --seconds" });
    }
    write(results, options.out);
    if (options.json) stdout.line(JSON.stringify(results));
    else stdout.write(markdown(results));
    if (!options.quiet) stderr.line(`hunch: written to ${options.out}: results.json, report.md, runs.csv, report.html`);
    for (const warning of results.warnings) warn(warning);
    return stopped ? EXIT.interrupted : EXIT.ok;
  } finally {
    status.clear();
    stand.close();
  }
}

function beginningOfHash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/** Until `signal` stops it. Undefined: nothing was measured. */
async function measure(
  stand: Stand,
  plan: Plan,
  tasks: readonly Task[],
  log: Log,
  { quiet }: BenchCommand,
  signal: AbortSignal,
): Promise<Results | undefined> {
  const live = new Live(!quiet);
  const groups = [...log.groups];
  const all = tasks.length * plan.turns;
  const [began, waitedBefore] = [performance.now(), waitedMs()];
  const waited = () =>
    waitedBefore === undefined ? {} : { waited: (waitedMs()! - waitedBefore) / (performance.now() - began) };
  let seen = 0; // prompts, by the drafters that there are
  const measured = (memory?: Memory): Unsummed => ({
    ...plan,
    machine: machine(),
    command: commandLine(),
    started: log.started,
    facts: [...new Map(groups.map(({ facts }) => [key(facts), facts])).values()],
    runs: groups.flatMap(({ runs }) => runs),
    curve: curveOf(stand.engine),
    fastest: fastestOf(stand.engine),
    peakMiB: peakMiB(),
    ...waited(),
    ...memory === undefined ? {} : { memory },
  });
  for (let turn = 0; turn < plan.turns && !signal.aborted; turn++) {
    seen = 0;
    stand.forgetAnswers(); // a turn that finds its own answers drafted from memory would measure the memory
    for (const task of tasks) {
      if (log.has(key(task), turn)) continue;
      const group = await measureGroup(stand, plan.settings, task, { turn, seed: plan.seed, signal });
      if (group === undefined) break;
      log.add(group);
      groups.push(group);
      seen++;
      live.show(rowsOf(measured(), { apart: false }), groups.length, all, task.kind);
    }
  }
  live.clear();
  if (groups.length === 0) return undefined;
  const memory = await memoryOf(stand, plan, seen);
  if (memory !== undefined) log.add(memory);
  const told = measured(fullest([...log.memories, memory ?? []].flat()));
  return { ...told, rows: rowsOf(told), warnings: warningsOf(told) };
}

/** `prompts`: how many the drafters have answered. Undefined where they answered none, or the runtime does not tell. */
async function memoryOf(stand: Stand, { settings }: Plan, prompts: number): Promise<Memory | undefined> {
  if (prompts === 0) return undefined;
  const bytes: Record<string, number> = {};
  for (const setting of settings) {
    const held = await stand.memoryOf(setting);
    if (held === undefined) return undefined;
    bytes[setting.name] = held;
  }
  return { prompts, bytes };
}

/** Of the run in which drafters answered most. */
function fullest(memories: readonly Memory[]): Memory | undefined {
  return [...memories].sort((a, b) => b.prompts - a.prompts)[0];
}

function write(results: Results, folder: string): void {
  const to = (name: string, content: string) =>
    writeOutput(resolve(folder, name), content, { folders: true, hint: OTHER_FOLDER });
  to("results.json", JSON.stringify(results));
  to("report.md", markdown(results));
  to("runs.csv", csv(results));
  to("report.html", html(results));
}
