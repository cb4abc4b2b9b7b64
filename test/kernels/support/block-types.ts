// A tiny Llama with every matrix in one block type. Blocks are random bytes around sensible scales, which needs no
// quantiser: what they mean is what the decoder says, and that is checked against gguf-py in test/model/weights.test.ts.
import type { ModelSource } from "../../../src/model/source.ts";
import type { TensorType } from "../../../src/model/tensors/tensor.ts";
import type { ModelSpec } from "../../../src/model/spec/spec.ts";
import { blockElements, bytesOf, decode } from "../../../src/model/tensors/weights.ts";
import { memorySource, type MemoryTensor } from "./memory-source.ts";
import { type Random, randomFrom } from "./random.ts";

/** Bytes of a block where half-precision scales stand, and minima that are multiples of them. */
const SCALES: Partial<
  Record<TensorType, { readonly scale?: number; readonly least?: number; readonly times?: number }>
> = {
  Q4_0: { scale: 0 },
  Q4_1: { scale: 0, least: 2, times: -7.5 },
  Q5_0: { scale: 0 },
  Q5_1: { scale: 0, least: 2, times: -15.5 },
  Q8_0: { scale: 0 },
  Q2_K: { scale: 80, least: 82, times: 1.5 },
  Q3_K: { scale: 108 },
  Q4_K: { scale: 0, least: 2, times: 7.5 },
  Q5_K: { scale: 0, least: 2, times: 15.5 },
  Q6_K: { scale: 208 },
  IQ4_NL: { scale: 0 },
  IQ4_XS: { scale: 0 },
  TQ1_0: { scale: 52 },
  TQ2_0: { scale: 64 },
  MXFP4: {}, // an exponent of eight bits in front
};

export const BLOCK_TYPES = Object.keys(SCALES) as TensorType[];

const WIDTH = 256;
const VOCAB = 64;
const HIDDEN = 512;

const SPEC: ModelSpec = {
  architecture: "llama",
  vocab: VOCAB,
  width: WIDTH,
  context: 64,
  layers: Array.from({ length: 2 }, () => ({
    attention: {
      heads: 4,
      kvHeads: 2,
      headSize: 64,
      scale: 1 / 8,
      rope: {
        frequencies: Float64Array.from({ length: 32 }, (_, i) => 10_000 ** (-i / 32)),
        magnitude: 1,
        dimensions: 64,
        interleaved: false,
      },
    },
    feedForward: { hidden: HIDDEN, activation: "silu", gated: true },
    parallel: false,
    residualScale: 1,
  })),
  norm: { kind: "rms", epsilon: 1e-5 },
  embeddingScale: 1,
  logitScale: 1,
};

/** The same model as stored in `type`, and dequantised to float32. */
export function blockModel(type: TensorType): { readonly stored: ModelSource; readonly plain: ModelSource } {
  const random = randomFrom(BLOCK_TYPES.indexOf(type));
  const stored = new Map<string, MemoryTensor>();
  const matrix = (name: string, rows: number, columns: number, spread = 1 / Math.sqrt(columns)) => {
    stored.set(`${name}.weight`, randomBlocks(random, type, [rows, columns], spread));
  };
  const gain = (name: string) => {
    const values = Float32Array.from({ length: WIDTH }, () => 1 + 0.1 * random.normal());
    stored.set(`${name}.weight`, { shape: [WIDTH], values });
  };
  matrix("embed", VOCAB, WIDTH, 1);
  SPEC.layers.forEach((_, n) => {
    gain(`layers.${n}.attention.norm`);
    matrix(`layers.${n}.attention.q`, 256, WIDTH);
    matrix(`layers.${n}.attention.k`, 128, WIDTH);
    matrix(`layers.${n}.attention.v`, 128, WIDTH);
    matrix(`layers.${n}.attention.output`, WIDTH, 256);
    gain(`layers.${n}.feedForward.norm`);
    matrix(`layers.${n}.feedForward.gate`, HIDDEN, WIDTH);
    matrix(`layers.${n}.feedForward.up`, HIDDEN, WIDTH);
    matrix(`layers.${n}.feedForward.down`, WIDTH, HIDDEN);
  });
  gain("norm");
  matrix("output", VOCAB, WIDTH);
  const plain = new Map([...stored].map(([name, { shape, values }]) => [name, { shape, values }]));
  return {
    stored: memorySource(SPEC, stored, `llama in ${type}`),
    plain: memorySource(SPEC, plain, `llama of ${type}`),
  };
}

/** Blocks whose numbers have about the given spread around 0. */
function randomBlocks(random: Random, type: TensorType, shape: readonly number[], spread: number): MemoryTensor {
  const elements = shape.reduce((product, length) => product * length, 1);
  const raw = Uint8Array.from({ length: bytesOf(type, elements) }, () => random.whole(256));
  const size = bytesOf(type, blockElements(type));
  const write = (base: number) => {
    const view = new DataView(raw.buffer);
    const scales = randomFrom(elements);
    for (let at = 0; at < raw.length; at += size) {
      const scale = base * scales.between(0.7, 1.4);
      const place = SCALES[type]!;
      if (place.scale === undefined) raw[at] = 128 + Math.round(Math.log2(scale));
      else view.setUint16(at + place.scale, half(scale), true);
      if (place.least !== undefined) view.setUint16(at + place.least, half(scale * place.times!), true);
    }
    return decode(type, raw, elements);
  };
  // Scales of one give a spread; scales in proportion give the one that is wanted.
  const values = write(1);
  const own = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / elements);
  return { shape, values: write(spread / own), packed: { type, bytes: raw } };
}

/** The nearest normal half-precision number, as its bits. */
function half(value: number): number {
  const [exponent, sign] = [Math.max(-14, Math.floor(Math.log2(Math.abs(value)))), value < 0 ? 0x8000 : 0];
  return sign | Math.round((Math.abs(value) / 2 ** exponent + exponent + 14) * 1024);
}
