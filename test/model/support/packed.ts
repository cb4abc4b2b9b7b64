// A tiny Llama with 4-bit matrices as GPTQ and AWQ pack them, in both orders of inputs.
import type { Json, Stored } from "./folder.ts";

/** Weights of a Llama whose matrices are packed; `make` packs one of [outputs, inputs]. */
export function packedLlama(make: (outputs: number, inputs: number) => Record<string, Stored>): Record<string, Stored> {
  // Numbers between a half and one and a half, those of matrices with either sign.
  const plain = (...shape: number[]): Stored => {
    const bits = Uint16Array.from({ length: shape.reduce((product, length) => product * length, 1) }, (_, n) => {
      const sign = shape.length > 1 && n * 2654435761 % 7 < 3 ? 0x8000 : 0;
      return sign | halfBits(0.5 + n * 37 % 64 / 64);
    });
    return { dtype: "F16", shape, bytes: new Uint8Array(bits.buffer) };
  };
  const out: Record<string, Stored> = {
    "model.embed_tokens.weight": plain(8, 64),
    "model.norm.weight": plain(64),
    "model.layers.0.input_layernorm.weight": plain(64),
    "model.layers.0.post_attention_layernorm.weight": plain(64),
  };
  const matrices: [string, number, number][] = [
    ...["q", "k", "v", "o"].map((part): [string, number, number] => [`self_attn.${part}_proj`, 64, 64]),
    ["mlp.gate_proj", 32, 64],
    ["mlp.up_proj", 32, 64],
    ["mlp.down_proj", 64, 32],
  ];
  for (const [name, outputs, inputs] of matrices) {
    for (const [part, tensor] of Object.entries(make(outputs, inputs))) out[`model.layers.0.${name}.${part}`] = tensor;
  }
  return out;
}

export const PACKED_CONFIG: Json = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
};

export const code = (c: number, i: number) => (c * 7 + i * 5 + (c * i) % 11) % 16;
export const zero = (c: number, g: number) => 1 + (c * 3 + g * 5) % 15;
/** Scales that half precision holds exactly. */
export const scale = (c: number, g: number) => (1 + (c % 5) / 4 + g / 8) / 64;

function halfBits(value: number): number {
  const exponent = Math.floor(Math.log2(value));
  return (exponent + 15) << 10 | Math.round((value / 2 ** exponent - 1) * 1024);
}

function scales(outputs: number, groups: number): Stored {
  const bits = Uint16Array.from(
    { length: groups * outputs },
    (_, n) => halfBits(scale(n % outputs, Math.floor(n / outputs))),
  );
  return { dtype: "F16", shape: [groups, outputs], bytes: new Uint8Array(bits.buffer) };
}

function words(shape: [number, number], word: (row: number, column: number) => number): Stored {
  const values = Int32Array.from(
    { length: shape[0] * shape[1] },
    (_, n) => word(Math.floor(n / shape[1]), n % shape[1]),
  );
  return { dtype: "I32", shape, bytes: new Uint8Array(values.buffer) };
}

function gptq(outputs: number, inputs: number, groupOf: (i: number) => number, groups: number): Record<string, Stored> {
  const eight = (nibble: (k: number) => number) => {
    let word = 0;
    for (let k = 0; k < 8; k++) word |= nibble(k) << 4 * k;
    return word;
  };
  const order = Int32Array.from({ length: inputs }, (_, i) => groupOf(i));
  return {
    qweight: words([inputs / 8, outputs], (row, c) => eight((k) => code(c, row * 8 + k))),
    qzeros: words([groups, outputs / 8], (g, c8) => eight((k) => zero(c8 * 8 + k, g) - 1)),
    scales: scales(outputs, groups),
    g_idx: { dtype: "I32", shape: [inputs], bytes: new Uint8Array(order.buffer) },
  };
}

function awq(outputs: number, inputs: number): Record<string, Stored> {
  const order = [0, 2, 4, 6, 1, 3, 5, 7];
  const eight = (value: (column: number) => number) =>
    order.reduce((word, column, k) => word | value(column) << 4 * k, 0);
  const groups = inputs / 32;
  return {
    qweight: words([inputs, outputs / 8], (i, c8) => eight((column) => code(c8 * 8 + column, i))),
    qzeros: words([groups, outputs / 8], (g, c8) => eight((column) => zero(c8 * 8 + column, g))),
    scales: scales(outputs, groups),
  };
}

export const inBlocks = (i: number) => Math.floor(i / 32);
const scattered = (i: number) => (i * 3 >> 1) % 2;
export const PACKINGS: [
  string,
  Json,
  (outputs: number, inputs: number) => Record<string, Stored>,
  (i: number) => number,
][] = [
  ["GPTQ", { quant_method: "gptq", bits: 4 }, (o, i) => gptq(o, i, inBlocks, i / 32), inBlocks],
  [
    "GPTQ in activation order",
    { quant_method: "gptq", bits: 4, desc_act: true },
    (o, i) => gptq(o, i, i === 64 ? scattered : inBlocks, i / 32),
    scattered,
  ],
  ["AWQ", { quant_method: "awq", bits: 4, version: "GEMM" }, awq, inBlocks],
];
