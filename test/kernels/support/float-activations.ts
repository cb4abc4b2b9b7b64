// `exact` without its rounding of activations: what is left of a difference to float32 lies in the weights.
import { join } from "node:path";
import type { AttentionNodes } from "../../../kernels/onnx/attention/attention.ts";
import { blockAttention } from "../../../kernels/onnx/attention/blocks.ts";
import { readContainer, writeContainer } from "../../../kernels/onnx/container.ts";
import { decoderOf } from "../../../kernels/onnx/conversion.ts";
import { OnnxEngine } from "../../../kernels/onnx/engine.ts";
import { libraryPath } from "../../../kernels/onnx/library.ts";
import { Runtime } from "../../../kernels/onnx/runtime.ts";
import type { ModelSource } from "../../../src/model/source.ts";

/** The graph of `exact` with float32 rows times the unpacked blocks. */
export async function withFloatActivations(
  source: ModelSource,
  cacheDir: string,
  attention: AttentionNodes = blockAttention,
): Promise<OnnxEngine> {
  const dialect = { attention, activations: "float32" } as const;
  const graph = decoderOf(source, "exact", dialect);
  if (!graph.nodes.some(({ op }) => op === "MatMulNBits")) throw new Error("the graph has no products of blocks");
  const path = join(cacheDir, "float-activations.hunch");
  writeContainer(path, graph, { inside: decoderOf(source, "exact", dialect, true) });
  const runtime = await Runtime.load(await libraryPath(cacheDir));
  const open = (inside: boolean) =>
    runtime.session(readContainer(path, inside)!.graph, {
      threads: 1,
      provider: "cpu",
      config: { "session.model_external_initializers_file_folder_path": cacheDir },
    });
  const blocks = attention === blockAttention;
  const running = { source, format: "exact", provider: "cpu", strict: true, blocks } as const;
  const measured = { model: "", format: "exact", provider: "cpu", threads: 1, strict: true } as const;
  return new OnnxEngine({ ...running, context: source.spec.context, runtime, open }, { cacheDir, measured });
}
