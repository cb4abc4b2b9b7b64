// Where the time of a pass goes, node by node, as ONNX Runtime's own profiler tells it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../cli/bench/statistics.ts";
import { openCache } from "../cli/cache/cache.ts";
import { onnxBackend } from "../kernels/onnx/backend.ts";
import { openModel } from "../src/model/open.ts";
import type { WeightFormat } from "../src/weight-format.ts";
import { PAST, THREADS } from "./setup.ts";

/** An event of the profile, times in µs. */
interface Event {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

/** Nodes of one operator with outputs of one width, in one pass. */
export interface NodeTime {
  readonly operator: string;
  readonly columns: number | undefined;
  readonly count: number;
  /** Median over passes of the sum of all of them. */
  readonly ms: number;
}

/** All nodes of a pass over `rows` rows, the dearest group first. `passes`: how many are looked at, after as many more. */
export async function nodeTimes(path: string, format: WeightFormat, rows: number, passes: number): Promise<NodeTime[]> {
  const folder = mkdtempSync(join(tmpdir(), "hunch-nodes-"));
  try {
    const source = await openModel(path);
    const profile = join(folder, "pass");
    const engine = await onnxBackend.load(source, {
      format,
      strict: true,
      threads: THREADS,
      cacheDir: openCache(),
      profile,
    });
    const sequence = engine.open();
    const vocab = source.spec.vocab;
    const token = (i: number) => (500 + i * 131) % vocab;
    for (let at = 0; at < PAST; at += engine.maxRows) {
      const part = Int32Array.from({ length: Math.min(engine.maxRows, PAST - at) }, (_, i) => token(at + i));
      await sequence.forward({ tokens: part, score: "last", need: "argmax" });
      sequence.keep(Int32Array.from(part.keys()));
    }
    for (let i = 0; i < 2 * passes; i++) {
      await sequence.forward({
        tokens: Int32Array.from({ length: rows }, (_, row) => token(i * 37 + row)),
        need: "argmax",
      });
    }
    sequence.close();
    engine.close(); // writes the profile
    source.close();
    const [file] = readdirSync(folder);
    return summed(JSON.parse(readFileSync(join(folder, file), "utf8")) as Event[], passes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last `passes` runs of the session. What `If` takes is told by the nodes inside it. */
export function summed(events: readonly Event[], passes: number): NodeTime[] {
  const runs = events.filter(({ name }) => name === "model_run").sort((a, b) => a.ts - b.ts).slice(-passes);
  const nodes = events.filter(({ cat, args }) => cat === "Node" && args?.op_name !== "If");
  const groups = Map.groupBy(nodes, ({ args }) => `${args?.op_name} ${columnsOf(args)}`);
  return [...groups.values()].map((own) => {
    const perRun = runs.map(({ ts, dur }) => own.filter((node) => node.ts >= ts && node.ts < ts + dur));
    const last = perRun[perRun.length - 1];
    return {
      operator: own[0].args?.op_name ?? "?",
      columns: columnsOf(own[0].args),
      count: last.length,
      ms: median(perRun.map((nodes) => nodes.reduce((sum, { dur }) => sum + dur, 0))) / 1000,
    };
  }).filter(({ count }) => count > 0).sort((a, b) => b.ms - a.ms);
}

function columnsOf(args: Event["args"]): number | undefined {
  const [output] = args?.output_type_shape ?? [];
  return output && Object.values(output)[0]?.at(-1);
}
