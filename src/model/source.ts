// One model file, whatever its format: what it computes, its tensors by canonical name, its tokenizer and template.
import type { WeightFormat } from "../weight-format.ts";
import type { Tensor } from "./tensors/tensor.ts";
import type { ModelSpec } from "./spec/spec.ts";
import type { ChatTemplate } from "./chat/chat.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What tokenizer and template are made of, in the form that the model came with. */
export interface SourceTexts {
  readonly kind: "gguf" | "huggingface" | "llama2c";
  readonly files: readonly { readonly name: string; bytes(): Uint8Array }[];
}

/** Weights that a file holds in the form of one engine, made by `hunch model convert`. */
export interface ConvertedWeights {
  /** Backend that made them, in its own form. */
  readonly engine: string;
  readonly format: WeightFormat;
  /** The backend's own number for what it stores. */
  readonly version: number;
  /** Where each lies in the file, by the backend's name for it. */
  readonly places: ReadonlyMap<string, { readonly offset: number; readonly length: number }>;
  /** Bytes `from` to `to` (exclusive) of a weight; all of it where they are left out. */
  bytes(name: string, from?: number, to?: number): Uint8Array;
}

export interface ModelSource {
  readonly path: string;
  /** `gguf`, `llama2c`, … */
  readonly format: string;
  /** A short name for people: the file's own, or the file name. */
  readonly title: string;
  readonly spec: ModelSpec;
  readonly tokenizer: Tokenizer;
  readonly chat?: ChatTemplate;
  /** Absent where the model is no file. */
  readonly texts?: SourceTexts;
  /**
   * Set for a converted file. Of its tensors only shape and type are known, but for a few that are kept as they were;
   * reading another throws UnsupportedError.
   */
  readonly converted?: ConvertedWeights;
  /** Canonical names of all tensors. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws HunchError("input") naming the tensor where the file lacks it. */
  tensor(name: string): Tensor;
  /**
   * SHA-256 of the file's content, hex; computed once per file identity (path, size, times) and remembered. `progress` is
   * told the fraction of a file that is read for it.
   */
  hash(cacheDir: string, progress?: (fraction: number) => void): Promise<string>;
  /** Bytes of the file. */
  readonly size: number;
  close(): void;
}
