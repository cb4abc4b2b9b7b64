// hunch model random: a file of a real model's shape with random weights, to measure what passes cost before the model
// is at hand. Its text is noise, so it says nothing about what drafts are kept; its name says so wherever it is shown.
import { EXIT } from "../../src/errors.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { OutputFile } from "../../src/output-file.ts";
import { openCache } from "../cache/cache.ts";
import { openNamed, RANDOM_WEIGHTS } from "../engine/models.ts";
import { bytes } from "../output/table.ts";
import { Status } from "../output/status.ts";
import { stdout } from "../output/streams.ts";
import { ALIGNMENT, type Entry, float, ggufHeader, type TensorPlan, text, u32 } from "./gguf-header.ts";
import { FALLBACK, MIXES, type MixType } from "./mixes.ts";
import { BLOCKS, type BlockType, F32, pool, uniform } from "./random-blocks.ts";
import { REAL_SHAPES, type RealShape } from "./real-shapes.ts";
import { tokenizerEntries } from "./tokenizer-entries.ts";

interface Options {
  readonly out: string;
  readonly like: string;
  readonly mix: string;
  /** A GGUF whose tokenizer and template the file gets. */
  readonly model: string | undefined;
}

/** Returns the exit code. */
export async function modelRandom({ out, like, mix, model }: Options): Promise<number> {
  const status = new Status();
  try {
    const title = `${like} ${RANDOM_WEIGHTS} (${mix})`;
    const donor = await openNamed(model, openCache());
    donor.close(); // its path is all that is needed
    const setting = { shape: REAL_SHAPES[like], mix, title, donor: donor.path };
    const size = writeRandomModel(out, setting, status.progress);
    status.clear();
    stdout.line(`${out}: ${bytes(size)}, ${title}: for what passes cost, never for what drafts are kept`);
    return EXIT.ok;
  } finally {
    status.clear();
  }
}

/** `donor`: a GGUF file whose tokenizer and template the new one gets. Returns the bytes of the weights. */
export function writeRandomModel(
  out: string,
  { shape, mix, title, donor }: {
    readonly shape: RealShape;
    readonly mix: string;
    readonly title: string;
    readonly donor: string;
  },
  progress: (step: string, fraction: number) => void,
): number {
  const plan = tensorsOf(shape, mix);
  const total = plan.reduce((sum, { size }) => sum + size, 0);
  const { file: source, metadata } = readGguf(donor);
  const file = new OutputFile(out);
  try {
    file.write(ggufHeader([...entriesOf(shape, title), ...tokenizerEntries(metadata, shape.vocab)], plan));
    let done = 0;
    for (const part of weights(plan)) {
      file.write(part);
      progress("writing", (done += part.length) / total);
    }
    file.finish();
    return total;
  } finally {
    file.discard();
    source.close();
  }
}

function entriesOf(shape: RealShape, title: string): Entry[] {
  const { architecture, layers, context, width, feedForward, heads, kvHeads, headSize, vocab, epsilon, ropeBase } =
    shape;
  const own: Entry[] = [
    ["block_count", u32(layers)],
    ["context_length", u32(context)],
    ["embedding_length", u32(width)],
    ["feed_forward_length", u32(feedForward)],
    ["attention.head_count", u32(heads)],
    ["attention.head_count_kv", u32(kvHeads)],
    ["attention.key_length", u32(headSize)],
    ["attention.value_length", u32(headSize)],
    ["attention.layer_norm_rms_epsilon", float(epsilon)],
    ["rope.dimension_count", u32(headSize)],
    ["rope.freq_base", float(ropeBase)],
    ["vocab_size", u32(vocab)],
  ];
  return [
    ["general.architecture", text(architecture)],
    ["general.name", text(title)],
    ...own.map(([key, value]): Entry => [`${architecture}.${key}`, value]),
  ];
}

/** Every tensor with its type; `ones`: a norm, which is 1 everywhere. */
interface RandomTensor extends TensorPlan {
  readonly type: BlockType;
  readonly ones: boolean;
}

function tensorsOf(shape: RealShape, mix: string): RandomTensor[] {
  const { architecture, width, layers, heads, kvHeads, headSize, feedForward, vocab, tied } = shape;
  const { low, high, inLayers } = MIXES[mix];
  const matrix = (name: string, rows: number, columns: number, wanted: MixType): RandomTensor => {
    const fits = columns % BLOCKS[wanted].weights === 0;
    const type = BLOCKS[fits ? wanted : FALLBACK[wanted] ?? "F16"];
    return { name, dimensions: [columns, rows], type, size: rows * columns / type.weights * type.bytes, ones: false };
  };
  const norm = (name: string, size: number): RandomTensor => ({
    name,
    dimensions: [size],
    type: F32,
    size: 4 * size,
    ones: true,
  });
  const layer = (i: number): RandomTensor[] => {
    const more = inLayers && moreBits(i, layers) ? high : low;
    return [
      norm(`blk.${i}.attn_norm.weight`, width),
      matrix(`blk.${i}.attn_q.weight`, heads * headSize, width, low),
      matrix(`blk.${i}.attn_k.weight`, kvHeads * headSize, width, low),
      matrix(`blk.${i}.attn_v.weight`, kvHeads * headSize, width, more),
      ...architecture === "qwen3"
        ? [norm(`blk.${i}.attn_q_norm.weight`, headSize), norm(`blk.${i}.attn_k_norm.weight`, headSize)]
        : [],
      matrix(`blk.${i}.attn_output.weight`, width, heads * headSize, low),
      norm(`blk.${i}.ffn_norm.weight`, width),
      matrix(`blk.${i}.ffn_gate.weight`, feedForward, width, low),
      matrix(`blk.${i}.ffn_up.weight`, feedForward, width, low),
      matrix(`blk.${i}.ffn_down.weight`, width, feedForward, more),
    ];
  };
  return [
    matrix("token_embd.weight", vocab, width, tied ? high : low),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    norm("output_norm.weight", width),
    ...tied ? [] : [matrix("output.weight", vocab, width, high)],
  ];
}

/** The layers whose values and down projections the K mixes of llama.cpp keep in more bits: an eighth at each end, and every third. */
export function moreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor(7 * layers / 8) || (layer - eighth) % 3 === 2;
}

/** The tensors' bytes in order, each padded to where the next begins. */
function* weights(plan: readonly RandomTensor[]): Generator<Uint8Array> {
  const random = uniform(1);
  const pools = new Map<BlockType, Uint8Array>();
  for (const { type, size, ones } of plan) {
    if (ones) yield new Uint8Array(new Float32Array(size / 4).fill(1).buffer);
    else {
      if (!pools.has(type)) pools.set(type, pool(type, random));
      const blocks = pools.get(type)!;
      let from = Math.floor(random() * blocks.length / type.bytes) * type.bytes; // so that no two tensors are alike
      for (let left = size; left > 0; from = 0) {
        const part = blocks.subarray(from, from + left);
        left -= part.length;
        yield part;
      }
    }
    if (size % ALIGNMENT > 0) yield new Uint8Array(ALIGNMENT - size % ALIGNMENT);
  }
}
