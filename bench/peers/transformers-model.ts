// A model as transformers.js reads it: a folder with config.json and an ONNX graph whose inputs and outputs are those of
// Hugging Face's exports (input_ids, attention_mask, past_key_values, logits, present). Weights are the file's own numbers,
// as hunch's `exact` has them: products by MatMulNBits, attention by GroupQueryAttention, which is what such exports use.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheName } from "../../kernels/onnx/attention/attention.ts";
import { GROUPED_FEEDS, groupedAttention, paddedHead } from "../../kernels/onnx/attention/grouped.ts";
import { writeContainer } from "../../kernels/onnx/container.ts";
import { decoderOf } from "../../kernels/onnx/conversion.ts";
import { cosName, FEEDS, sinName } from "../../kernels/onnx/decoder.ts";
import type { GraphBuilder } from "../../kernels/onnx/graph.ts";
import { RESULTS, SCORE_FEEDS } from "../../kernels/onnx/scores.ts";
import { rotationsOf } from "../../kernels/rope.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";

/** Positions that keys and queries can be rotated to. */
const LONGEST = 8192;

/** Writes the model at `path` into `folder`. Throws where its attention is not that of Llama. */
export async function writeTransformersModel(path: string, folder: string): Promise<void> {
  const source = await openModel(path);
  try {
    refuse(source.spec);
    mkdirSync(join(folder, "onnx"), { recursive: true });
    const builder = decoderOf(source, "exact", { attention: groupedAttention(true), activations: "int8" });
    exported(builder, source);
    const { graph } = writeContainer(join(folder, "onnx", "model.onnx_data"), builder);
    writeFileSync(join(folder, "onnx", "model.onnx"), graph);
    const { width, vocab, layers } = source.spec;
    const { heads, kvHeads, headSize } = layers[0].attention;
    const ends = source.tokenizer.ends;
    const config = {
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      hidden_size: width,
      num_hidden_layers: layers.length,
      num_attention_heads: heads,
      num_key_value_heads: kvHeads,
      head_dim: headSize,
      vocab_size: vocab,
      eos_token_id: ends,
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: ends }));
  } finally {
    source.close();
  }
}

function refuse({ layers }: ModelSpec): void {
  const odd = layers.some(({ attention: { window, headSize, rope } }) =>
    window !== undefined || paddedHead(headSize) !== headSize || rope === undefined || rope.dimensions % 16 !== 0
  );
  if (odd) throw new Error("transformers.js is given models with the attention of Llama only");
}

/** Turns hunch's graph, which is fed embeddings, rotations and masks, into one that makes them itself. */
function exported(g: GraphBuilder, source: ModelSource): void {
  const { spec } = source;
  const names = new Map<string, string>([[FEEDS.scored, "last_row"], [RESULTS.logits, "flat_logits"]]);
  spec.layers.forEach((_, layer) => {
    for (const part of ["key", "value"] as const) {
      names.set(cacheName("past", layer, part), `past_key_values.${layer}.${part}`);
      names.set(cacheName("present", layer, part), `present.${layer}.${part}`);
    }
  });
  const named = (value: string) => names.get(value) ?? value;
  const nodes = g.nodes.splice(0)
    .filter(({ outputs }) => !outputs.includes(RESULTS.tokens) && !outputs.includes(RESULTS.sums))
    .map((node) => ({
      ...node,
      // Without a bias and positions of its own it is causal, and each row stands behind the one before.
      inputs: (node.op === "GroupQueryAttention" ? node.inputs.slice(0, 9) : node.inputs).map(named),
      outputs: node.outputs.map(named),
    }));

  g.inputs.splice(0);
  g.input("input_ids", "int64", ["batch_size", "rows"]);
  g.input("attention_mask", "int64", ["batch_size", "total"]);
  const table = () => source.tensor("embed.weight").floats();
  g.weight("embeddings", "float32", [spec.vocab, spec.width], table);
  const rows = g.op("Gather", ["embeddings", "input_ids"], { axis: { int: 0 } });
  g.op("Mul", [rows, g.constant("float32", [spec.embeddingScale])], {}, FEEDS.hidden);
  const total = g.op("Gather", [g.op("Shape", ["attention_mask"]), g.constant("int64", [1])], { axis: { int: 0 } });
  g.op("Cast", [total], { to: { int: 6 } }, GROUPED_FEEDS.total);
  g.op("Cast", [g.op("Sub", [total, g.constant("int64", [1])])], { to: { int: 6 } }, GROUPED_FEEDS.lastKey);
  g.weight("last_row", "int64", [1], () => BigInt64Array.of(-1n));
  g.nodes.push(...nodes);

  rotationsOf(spec).ropes.forEach(({ frequencies, magnitude }, at) => {
    const half = frequencies.length;
    const rotated = (turn: (angle: number) => number) => () =>
      Float32Array.from(
        { length: LONGEST * half },
        (_, i) => magnitude * turn(Math.floor(i / half) * frequencies[i % half]),
      );
    g.weight(cosName(at), "float32", [LONGEST, half], rotated(Math.cos));
    g.weight(sinName(at), "float32", [LONGEST, half], rotated(Math.sin));
  });

  g.outputs.splice(0);
  g.op("Reshape", ["flat_logits", g.constant("int64", [1, 1, spec.vocab])], {}, "logits");
  g.output("logits", "float32", ["batch_size", 1, spec.vocab]);
  spec.layers.forEach(({ attention: { kvHeads, headSize } }, layer) => {
    for (const part of ["key", "value"] as const) {
      g.input(`past_key_values.${layer}.${part}`, "float32", ["batch_size", kvHeads, "past", headSize]);
      g.output(`present.${layer}.${part}`, "float32", ["batch_size", kvHeads, "total", headSize]);
    }
  });
  const fed = [SCORE_FEEDS.wantProbabilities, SCORE_FEEDS.temperature] as string[];
  if (g.nodes.some(({ inputs }) => inputs.some((value) => fed.includes(value)))) throw new Error("a feed is left over");
}
