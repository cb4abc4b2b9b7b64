// What is not taken on trust: that 8-bit products do not saturate, and that an execution provider computes what the
// processor computes.
import { UnsupportedError } from "../../src/errors.ts";
import type { OnnxEngine } from "./engine.ts";
import { bytesOf, GraphBuilder } from "./graph.ts";
import { encodeModel } from "./proto.ts";
import type { Runtime } from "./runtime.ts";

const saturating = new WeakMap<Runtime, boolean>();

/**
 * True on processors whose uint8 × int8 products are added up in pairs of 16 bits: the largest operands show it.
 * ONNX Runtime then has to be told to be exact.
 */
export function saturates(runtime: Runtime): boolean {
  let known = saturating.get(runtime);
  if (known === undefined) saturating.set(runtime, known = measureSaturation(runtime));
  return known;
}

function measureSaturation(runtime: Runtime): boolean {
  const [depth, rows, columns] = [64, 2, 32];
  const g = new GraphBuilder();
  g.input("a", "uint8", [rows, depth]);
  g.weight("b", "int8", [depth, columns], () => new Int8Array(depth * columns).fill(127));
  const product = g.op("MatMulInteger", ["a", "b"]);
  g.op("Identity", [product], {}, "y");
  g.output("y", "int32", [rows, columns]);
  const model = encodeModel(g.finish("saturation", bytesOf));
  const session = runtime.session(model, { threads: 1, provider: "cpu" });
  const a = runtime.tensor(new Uint8Array(rows * depth).fill(255), "uint8", [rows, depth]);
  const result = new Int32Array(rows * columns);
  const y = runtime.tensor(result, "int32", [rows, columns]);
  session.runner(["a"], ["y"])([a], [y]);
  [a, y].forEach((value) => runtime.release(value));
  session.close();
  return result.some((sum) => sum !== depth * 255 * 127);
}

/** Largest difference of logits, relative to the largest logit, that another provider's arithmetic may make. */
const TOLERANCE = 0.05;

/** Compares a small tree on both; closes `cpu`. Throws UnsupportedError where the provider's scores are others. */
export async function checkProvider(engine: OnnxEngine, cpu: OnnxEngine): Promise<void> {
  const logits = async (on: OnnxEngine): Promise<(Float32Array | Float64Array)[]> => {
    const sequence = on.open();
    try {
      await sequence.forward({ tokens: Int32Array.of(1, 2, 3) });
      sequence.keep(Int32Array.of(0, 1, 2));
      const scores = await sequence.forward({
        tokens: Int32Array.of(4, 5, 6, 7),
        parents: Int32Array.of(-1, 0, 0, 1),
      });
      return [0, 1, 2, 3].map((row) => scores.logits(row).slice());
    } finally {
      sequence.close();
    }
  };
  try {
    const [got, want] = [await logits(engine), await logits(cpu)];
    let [worst, largest] = [0, 0];
    want.forEach((row, r) =>
      row.forEach((value, i) => {
        const difference = Math.abs(value - got[r][i]);
        worst = difference <= worst ? worst : difference; // NaN stays
        largest = Math.max(largest, Math.abs(value));
      })
    );
    if (!(worst <= TOLERANCE * largest)) {
      throw new UnsupportedError(
        `${engine.name} computes other scores than the processor: they differ by ${worst} of ${largest}`,
        { hint: "use --backend onnx:cpu" },
      );
    }
  } catch (error) {
    engine.close();
    throw error;
  } finally {
    cpu.close();
  }
}
