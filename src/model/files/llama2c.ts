// Checkpoints of llama2.c, the first format (version 0): seven numbers, then float32 matrices of a Llama one after the
// other. The tokenizer is a file of its own.
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { HunchError } from "../../errors.ts";
import { describeGguf } from "./gguf-source.ts";
import { OpenedModel } from "./opened.ts";
import { BinaryFile, Cursor, readWhole } from "./reader.ts";
import type { Tensor } from "../tensors/tensor.ts";
import { SPECIAL_NAMES, tokenizerFromLlama2c } from "../tokenizers/llama2c.ts";
import { FileTensor } from "../tensors/weights.ts";

/** What the tokenizer's file is called inside a converted model. */
export const TOKENIZER = "tokenizer.bin";

const HEADER = 28;
/** The first number of later versions, "ak42". */
const LATER = 0x616b3432;

interface Header {
  readonly width: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly vocab: number;
  readonly context: number;
  /** The output matrix is the embedding; told by the sign of the vocabulary's size. */
  readonly tied: boolean;
}

/**
 * Opens a checkpoint. Its tokenizer is `tokenizer`, or the first that is there of `tokN.bin` (N: size of the
 * vocabulary) and `tokenizer.bin` in the same folder.
 */
export function openLlama2c(path: string, tokenizer?: string, context?: number): OpenedModel {
  const file = new BinaryFile(path);
  try {
    const header = readHeader(file);
    const besides = tokenizerPath(path, header.vocab, tokenizer);
    const tensors = layout(file, header);
    return new OpenedModel({
      path,
      format: "llama2c",
      title: basename(path).replace(/\.bin$/, ""),
      // The format is Llama's, with rotated pairs side by side, as GGUF has it: so it is put into GGUF's names.
      description: describeGguf(path, metadataOf(header), tensors, context),
      files: [file],
      besides: besides === undefined ? [] : [besides],
      size: file.size,
      tokenizer: () => readTokenizer(path, header.vocab, tokenizer),
      chat: () => undefined,
      specials: () => SPECIAL_NAMES,
      texts: {
        kind: "llama2c",
        files: besides === undefined ? [] : [{ name: TOKENIZER, bytes: () => readWhole(besides) }],
      },
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

function readHeader(file: BinaryFile): Header {
  const cursor = new Cursor(file);
  const first = cursor.u32("dim");
  if (first === LATER) {
    const message = `llama2.c checkpoints of version ${cursor.i32("version")} are not supported`;
    const place = { file: file.path, offset: 4, field: "version" };
    throw new HunchError("input", message, { ...place, hint: "export the model as version 0, or as GGUF" });
  }
  const at = (field: string) => {
    const value = cursor.i32(field);
    if (value < 1) throw file.broken(`${value} is not possible here`, cursor.position - 4, field);
    return value;
  };
  cursor.position = 0;
  const [width, hidden, layers, heads, kvHeads] = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads"].map(at);
  const vocab = cursor.i32("vocab_size");
  if (vocab === 0) throw file.broken("the vocabulary is empty", 20, "vocab_size");
  const context = at("seq_len");
  if (width % heads || width / heads % 2) throw file.broken(`${heads} heads do not divide ${width}`, 12, "n_heads");
  if (heads % kvHeads) throw file.broken(`${heads} heads cannot share ${kvHeads} key heads`, 16, "n_kv_heads");
  return { width, hidden, layers, heads, kvHeads, vocab: Math.abs(vocab), context, tied: vocab > 0 };
}

/** Where each tensor lies. The file must have exactly the size that the header asks for. */
function layout(file: BinaryFile, header: Header): Map<string, Tensor> {
  const { width, hidden, layers, heads, kvHeads, vocab, context, tied } = header;
  const keys = width / heads * kvHeads;
  const rotations = context * width / heads; // two tables that follow from the hyper-parameters
  const perLayer = 2 * width + 2 * width * width + 2 * keys * width + 3 * hidden * width;
  const total = HEADER + 4 * (vocab * width * (tied ? 1 : 2) + layers * perLayer + width + rotations);
  if (total !== file.size) {
    throw file.broken(`the header asks for ${total} bytes, the file has ${file.size}`, 0, "header");
  }
  const tensors = new Map<string, Tensor>();
  let offset = HEADER;
  const place = (name: string, ...shape: number[]) => {
    tensors.set(name, new FileTensor(name, shape, "F32", file, offset));
    offset += 4 * shape.reduce((product, length) => product * length, 1);
  };
  const placeLayers = (name: string, ...shape: number[]) => {
    for (let n = 0; n < layers; n++) place(`blk.${n}.${name}.weight`, ...shape);
  };
  place("token_embd.weight", vocab, width);
  placeLayers("attn_norm", width);
  placeLayers("attn_q", width, width);
  placeLayers("attn_k", keys, width);
  placeLayers("attn_v", keys, width);
  placeLayers("attn_output", width, width);
  placeLayers("ffn_norm", width);
  placeLayers("ffn_gate", hidden, width);
  placeLayers("ffn_down", width, hidden);
  placeLayers("ffn_up", hidden, width);
  place("output_norm.weight", width);
  offset += 4 * rotations;
  if (!tied) place("output.weight", vocab, width);
  return tensors;
}

function metadataOf({ width, hidden, layers, heads, kvHeads, context }: Header): Map<string, unknown> {
  return new Map<string, unknown>([
    ["general.architecture", "llama"],
    ["llama.embedding_length", width],
    ["llama.feed_forward_length", hidden],
    ["llama.block_count", layers],
    ["llama.attention.head_count", heads],
    ["llama.attention.head_count_kv", kvHeads],
    ["llama.context_length", context],
    ["llama.attention.layer_norm_rms_epsilon", 1e-5],
  ]);
}

function tokenizerPath(path: string, vocab: number, wanted?: string): string | undefined {
  if (wanted !== undefined) return [wanted, join(dirname(path), wanted)].find(existsSync) ?? wanted;
  return [`tok${vocab}.bin`, "tokenizer.bin"].map((name) => join(dirname(path), name)).find(existsSync);
}

function readTokenizer(path: string, vocab: number, wanted?: string) {
  const name = tokenizerPath(path, vocab, wanted);
  if (name === undefined) {
    const message = `no tokenizer beside the checkpoint: neither tok${vocab}.bin nor tokenizer.bin`;
    throw new HunchError("input", message, { file: path, hint: "name it: MODEL.bin?tokenizer=FILE" });
  }
  return tokenizerFromLlama2c(readWhole(name), vocab, name);
}
