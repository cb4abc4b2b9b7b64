// hunch bench passes: what a plain token and passes of each width take in each weight format, how near that is to what the
// machine can read from memory, and with --nodes where the time goes.
import { availableParallelism } from "node:os";
import { onnxBackend } from "../../../kernels/onnx/backend.ts";
import { physicalCores } from "../../../kernels/threads.ts";
import { EXIT, HunchError } from "../../../src/errors.ts";
import { interruptible } from "../../input/interrupt.ts";
import { Status } from "../../output/status.ts";
import { stdout, warn } from "../../output/streams.ts";
import { table } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import { readBandwidth } from "../bandwidth.ts";
import { commandLine, machine, machineFacts } from "../machine.ts";
import { busyWarning, randomWarning } from "../warnings.ts";
import { type Ground, openGround } from "./ground.ts";
import { nodeTimes } from "./nodes.ts";
import type { PassesCommand } from "./options.ts";
import { type FormatNodes, type FormatTimes, formatTimes, nodesTable, timesTable } from "./report.ts";
import { timesOf } from "./times.ts";

/** The one engine with a profiler, and the one whose weights are read from the memory that is measured. */
const PROCESSOR = "onnx:cpu";

/** Processor threads that computed, and the bytes per second that as many read from memory. */
interface Memory {
  readonly threads: number;
  readonly bandwidth: number;
}

interface Report {
  readonly engine: string;
  /** Absent where the weights lie elsewhere. */
  readonly memory?: Memory;
  /** For programs. */
  readonly found: { readonly turns?: number; readonly formats: readonly (FormatTimes | FormatNodes)[] };
  /** For people: lines of each table, and how to read them. */
  readonly tables: readonly (readonly string[])[];
  readonly how: string;
  readonly warnings: readonly string[];
  /** By Ctrl-C, after some turns. */
  readonly stopped: boolean;
}

/** Returns the exit code. */
export async function passes(options: PassesCommand): Promise<number> {
  if (options.nodes) refuseOtherBackend(options.backend);
  const status = new Status();
  const ground = await openGround(options, status.progress);
  try {
    const report = options.nodes ? await ofNodes(ground) : await ofTimes(ground, options.turns);
    status.clear();
    if (report === undefined) return EXIT.interrupted;
    await tell(ground, report, options.json);
    return report.stopped ? EXIT.interrupted : EXIT.ok;
  } finally {
    status.clear();
    ground.source.close();
  }
}

function refuseOtherBackend(backend: string): void {
  if (["auto", "onnx", PROCESSOR].includes(backend)) return;
  throw new HunchError("usage", `--nodes asks ONNX Runtime's profiler about ${PROCESSOR}, not about ${backend}`, {
    hint: "leave one of them out",
  });
}

/** Undefined where a Ctrl-C came before a turn was whole. */
async function ofTimes(ground: Ground, wanted: number): Promise<Report | undefined> {
  const { widths } = ground;
  const { engine, formats: timed, stopped } = await interruptible(async (signal) => ({
    ...await timesOf(ground, wanted, signal),
    stopped: signal.aborted,
  }));
  const turns = timed[0].turns.plain.length;
  if (turns === 0) return undefined;
  const memory = engine === PROCESSOR ? await memoryOf(ground) : undefined;
  const formats = timed.map(({ format, weightBytes, turns }) =>
    formatTimes(format, turns, widths, weightBytes, memory?.bandwidth)
  );
  return {
    ...{ engine, memory, stopped, found: { turns, formats } },
    tables: [table(timesTable(formats), [1, 2, 3, 4, 5])],
    how: `medians of ${turns} ${turns === 1 ? "turn" : "turns"}, with the middle half; GB/s of weights`,
    warnings: busyWarning(timed.map(({ turns }) => turns.plain)),
  };
}

async function ofNodes(ground: Ground): Promise<Report> {
  const { source, widths, formats: named } = ground;
  const formats: FormatNodes[] = [];
  for (const { format, refusal } of onnxBackend.offers!(source)) {
    if (named.length > 0 && !named.includes(format)) continue;
    if (refusal !== undefined && named.length > 0) throw new HunchError("unavailable", `${format}: ${refusal}`);
    if (refusal !== undefined) continue;
    for (const rows of widths) formats.push({ format, rows, nodes: await nodeTimes(ground, format, rows) });
  }
  const memory = await memoryOf(ground);
  return {
    ...{ engine: PROCESSOR, memory, stopped: false, found: { formats } },
    tables: formats.map((own) => table(nodesTable(own, memory.bandwidth), [1, 2, 3, 4, 5, 6])),
    how: "medians of passes as ONNX Runtime's profiler saw them, which takes some µs a node; MB are of weights",
    warnings: [],
  };
}

async function memoryOf({ threads: wanted, progress }: Ground): Promise<Memory> {
  progress("reading memory", 0);
  const threads = Math.min(wanted ?? physicalCores(), availableParallelism());
  return { threads, bandwidth: await readBandwidth(threads) };
}

async function tell(
  { source, strict, place: { past }, cacheDir }: Ground,
  report: Report,
  json: boolean,
): Promise<void> {
  const { engine, memory, found, tables, how } = report;
  const model = { title: source.title, path: source.path, hash: await source.hash(cacheDir) };
  const warnings = [...randomWarning(model.title), ...report.warnings];
  const here = machine();
  const measured = new Date().toISOString();
  const command = commandLine();
  if (json) {
    const facts = { model, engine, strict, ...memory, past, ...found, machine: here, measured, command, warnings };
    stdout.line(JSON.stringify(facts));
  } else {
    const threads = memory === undefined ? "" : `, ${memory.threads} ${memory.threads === 1 ? "thread" : "threads"}`;
    const loose = strict ? "" : ", not strict";
    stdout.line(
      `${visible(model.title)} (${model.hash.slice(0, 12)}): ${engine}${threads}${loose}, after ${past} tokens`,
    );
    for (const lines of tables) for (const line of ["", ...lines]) stdout.line(line);
    const reads = memory === undefined ? "" : `; the machine reads ${(memory.bandwidth / 1e9).toFixed(1)} GB/s`;
    stdout.line();
    stdout.line(how + reads);
    const facts = [...machineFacts(here), ["measured", measured.slice(0, 16).replace("T", " ")], ["command", command]];
    stdout.line(facts.map(([name, value]) => `${name} ${value}`).join(" · "));
  }
  for (const warning of warnings) warn(warning);
}
