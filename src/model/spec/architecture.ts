// What an architecture file provides, and how the tensors of a model file become canonical ones by it.
import { HunchError } from "../../errors.ts";
import type { Hyper } from "./hyper.ts";
import { GGUF_NAMES, IGNORED, LLAMA_NAMES, type TensorNames } from "./names.ts";
import { checkShapes } from "./shapes.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { ModelSpec } from "./spec.ts";
import { unread } from "./unread.ts";

/** A model file before anything is known of its architecture. */
export interface ModelFile {
  /** Whose names and conventions the file follows. llama2.c checkpoints are put into GGUF's. */
  readonly kind: "gguf" | "huggingFace";
  readonly path: string;
  readonly hyper: Hyper;
  /** Every metadata key or field of config.json, whether `hyper` asks for it or not. */
  readonly all: Iterable<readonly [string, unknown]>;
  /** By the file's own names. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The token embedding, by whatever name the architecture has for it. */
  readonly embed?: Tensor;
  /** The router of the first layer's experts, likewise. */
  readonly router?: Tensor;
  /** Context length that was asked for; the model's own where absent. */
  readonly context?: number;
}

/** One architecture. `docs/architectures.md` shows how to add one. */
export interface Architecture {
  readonly name: string;
  /** `general.architecture` of GGUF files; absent where GGUF has no name of its own for it. */
  readonly gguf?: string;
  /** Tells a file of this architecture from one of another that has the same name in GGUF. */
  readonly isIt?: (hyper: Hyper) => boolean;
  /** `model_type` of `config.json`. */
  readonly huggingFace?: string;
  /** `model_type` of folders whose text part is this, beside images or sounds (`text_config`). */
  readonly multimodal?: readonly string[];
  /**
   * Canonical names of all tensors, N for the layer's number, E for the expert's, `?` behind those that a file may
   * lack. A file that lacks another or has one more is refused. Packed tensors have names of their own here, which
   * `rearrange` takes apart. What the file's format has no name for is passed over.
   */
  readonly tensors: readonly string[];
  /** Hugging Face's names where they are not Llama's, and GGUF's where this architecture packs. */
  readonly names?: { readonly huggingFace?: TensorNames; readonly gguf?: TensorNames };
  /** What `config.json` calls hyper-parameters that Llama's has under another name. */
  readonly config?: Readonly<Record<string, string>>;
  /** What a file means that is silent on these: transformers' defaults for `config.json`, llama.cpp's for GGUF. */
  readonly defaults?: {
    readonly huggingFace?: Readonly<Record<string, unknown>>;
    readonly gguf?: Readonly<Record<string, unknown>>;
  };
  /** Keys that a GGUF file must have: there is no default that every program agrees on. */
  readonly required?: readonly string[];
  /** Names in `config.json` or GGUF (with its prefix) that say nothing of what this architecture computes. */
  readonly harmless?: readonly RegExp[];
  /** Names of tensors that files have and that follow from the hyper-parameters, besides those of every architecture. */
  readonly ignored?: readonly RegExp[];
  /** Throws HunchError("input") for hyper-parameters that are missing, damaged or not supported. */
  spec(file: ModelFile): ModelSpec;
  /** Brings the file's tensors into canonical form (shapes, order of rows, gains ready to multiply). */
  rearrange?(tensors: Map<string, Tensor>, spec: ModelSpec, file: ModelFile): void;
}

export interface Description {
  readonly spec: ModelSpec;
  /** By canonical name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Metadata keys or fields of config.json that may mean something and were not read. */
  readonly ignored: readonly string[];
}

/** Reads a model file as `architecture` says. Throws HunchError("input") where they don't fit each other. */
export function describe(architecture: Architecture, given: ModelFile): Description {
  const names = spelling(architecture, given);
  const { config, defaults, required = [] } = architecture;
  const hyper = given.hyper.renamed(given.kind === "huggingFace" ? config : undefined, defaults?.[given.kind]);
  const missing = given.kind === "gguf" ? required.find((key) => !hyper.has(key)) : undefined;
  if (missing !== undefined) throw hyper.wrong(missing, "the file does not tell this hyper-parameter");
  const embed = given.tensors.get(names["embed.weight"]);
  const router = given.tensors.get(names["layers.N.feedForward.router.weight"].replace("N", "0"));
  const file = { ...given, hyper, embed, router };
  const spec = architecture.spec(file);
  const tensors = collect(architecture, file, names, spec);
  // A head that is there counts, whatever the configuration says of it; one that is not there must be the embedding.
  const tied = file.kind === "gguf" || file.hyper.flag(["tie_word_embeddings"], true);
  if (!tied && !tensors.has("output.weight")) throw lacking(file, "output.weight");
  architecture.rearrange?.(tensors, spec, file);
  checkShapes(spec, tensors, file.path);
  return { spec, tensors, ignored: unread(file.kind, file.all, hyper.read, architecture.harmless) };
}

/** Whether a file of this architecture may have the tensor, and nothing needs it. */
export function isIgnored({ ignored = [] }: Architecture, name: string): boolean {
  return [...IGNORED, ...ignored].some((pattern) => pattern.test(name));
}

function collect(
  architecture: Architecture,
  file: ModelFile,
  names: TensorNames,
  { layers }: ModelSpec,
): Map<string, Tensor> {
  const out = new Map<string, Tensor>();
  const used = new Set<string>();
  let missing: string | undefined;
  const take = (canonical: string, optional: boolean, layer: number, expert: number) => {
    const template = names[canonical];
    if (template === undefined) return;
    const numbered = (name: string) => name.replace("N", String(layer)).replace(".E.", `.${expert}.`);
    const name = numbered(template);
    const tensor = file.tensors.get(name);
    if (!tensor && !optional) missing ??= name;
    if (!tensor) return;
    out.set(numbered(canonical), tensor);
    used.add(name);
  };
  for (const entry of architecture.tensors) {
    const optional = entry.endsWith("?");
    const canonical = optional ? entry.slice(0, -1) : entry;
    const count = canonical.startsWith("layers.") ? layers.length : 1;
    for (let layer = 0; layer < count; layer++) {
      const experts = canonical.includes(".E.") ? layers[layer].feedForward.experts?.count ?? 0 : 1;
      for (let expert = 0; expert < experts; expert++) take(canonical, optional, layer, expert);
    }
  }
  for (const [name, tensor] of file.tensors) {
    if (used.has(name) || isIgnored(architecture, name) || isZeroBias(name, tensor)) continue;
    const message = `a tensor is not part of the architecture ${architecture.name}`;
    throw new HunchError("input", message, { file: file.path, field: name, hint: "this variant is not supported" });
  }
  if (missing !== undefined) throw lacking(file, missing);
  return out;
}

/** Quantising programs give every matrix a bias, all zeros where the architecture has none. */
function isZeroBias(name: string, tensor: Tensor): boolean {
  return name.endsWith(".bias") && tensor.shape.length === 1 && tensor.floats().every((value) => value === 0);
}

/** The file's names of the canonical tensors. Files of a bare Hugging Face model lack the first part of each name. */
function spelling(architecture: Architecture, file: ModelFile): TensorNames {
  if (file.kind === "gguf") return { ...GGUF_NAMES, ...architecture.names?.gguf };
  const names = { ...LLAMA_NAMES, ...architecture.names?.huggingFace };
  const first = names["embed.weight"];
  const prefix = first.slice(0, first.indexOf(".") + 1);
  if (file.tensors.has(first) || !file.tensors.has(first.slice(prefix.length))) return names;
  const entries = Object.entries(names).map(([canonical, name]) =>
    [canonical, name.startsWith(prefix) ? name.slice(prefix.length) : name] as const
  );
  return Object.fromEntries(entries);
}

function lacking(file: ModelFile, name: string): HunchError {
  return new HunchError("input", "the model lacks a tensor", {
    file: file.path,
    field: name,
    hint: "the file is incomplete",
  });
}
