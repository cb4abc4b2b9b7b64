// Where the time of a pass goes, node by node, as ONNX Runtime's own profiler tells it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../../kernels/onnx/backend.ts";
import { decoderOf, weightBytes } from "../../../kernels/onnx/conversion.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import type { WeightFormat } from "../../../src/weight-format.ts";
import { median } from "../statistics.ts";
import { type Ground, refuseWide } from "./ground.ts";
import { PassTimer } from "./timer.ts";
import { LONG } from "./turns.ts";

/** Passes that are looked at, after as many more; fewer where they are slow. */
const MOST = 8;

type NodesGround = Pick<Ground, "source" | "strict" | "threads" | "context" | "cacheDir" | "place" | "progress">;

/** An event of the profile, times in µs. */
interface Event {
  readonly cat: string;
  /** A node is called after its first result. */
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
  readonly columns?: number;
  readonly count: number;
  /** Of the weights that they read, all of them together. */
  readonly bytes: number;
  /** Median over passes of the sum of all of them. */
  readonly ms: number;
}

/** All nodes of a pass over `rows` rows on onnx:cpu, the dearest group first. Errors: those of loading the model. */
export async function nodeTimes(ground: NodesGround, format: WeightFormat, rows: number): Promise<NodeTime[]> {
  const { source, strict, threads, context, cacheDir, place, progress } = ground;
  const folder = mkdtempSync(join(tmpdir(), "hunch-nodes-"));
  let passes: number;
  try {
    const options = { format, strict, threads, context, cacheDir, progress, profile: join(folder, "pass") };
    const engine = await onnxBackend.load(source, options);
    try {
      refuseWide([rows], engine);
      const timer = new PassTimer(engine, LONG);
      passes = (await timer.passes(place, rows, 2 * MOST, { need: "argmax" })).length >> 1;
      timer.close();
    } finally {
      engine.close(); // writes the profile
    }
    const [file] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file), "utf8")) as Event[];
    return summed(events, passes, weightsOf(source, format));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of the weights that each node reads, by its first result. */
function weightsOf(source: ModelSource, format: WeightFormat): Map<string, number> {
  const graph = decoderOf(source, format);
  const sizes = new Map(graph.weights.map((weight) => [weight.name, weightBytes({ weights: [weight] })]));
  const read = (inputs: readonly string[]) => inputs.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
  return new Map(graph.nodes.map(({ inputs, outputs }) => [outputs[0], read(inputs)]));
}

/**
 * The last `passes` runs of the session. What `If` takes is told by the nodes inside it. `bytes`: of the weights that a
 * node reads, by its first result.
 */
export function summed(
  events: readonly Event[],
  passes: number,
  bytes: ReadonlyMap<string, number> = new Map(),
): NodeTime[] {
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
      bytes: last.reduce((sum, { name }) => sum + (bytes.get(name.replace("_kernel_time", "")) ?? 0), 0),
      ms: median(perRun.map((nodes) => nodes.reduce((sum, { dur }) => sum + dur, 0))) / 1000,
    };
  }).filter(({ count }) => count > 0).sort((a, b) => b.ms - a.ms);
}

function columnsOf(args: Event["args"]): number | undefined {
  const [output] = args?.output_type_shape ?? [];
  return output && Object.values(output)[0]?.at(-1);
}
