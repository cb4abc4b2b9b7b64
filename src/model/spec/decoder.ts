// The common part of all architectures: the spec of a decoder from hyper-parameters, with what differs as options.
import type { ModelFile } from "./architecture.ts";
import { readRope, type RopeQuestion } from "./rope-config.ts";
import type { Activation, AttentionSpec, ExpertsSpec, FeedForwardSpec, LayerSpec, ModelSpec } from "./spec.ts";

/** What an architecture does in its own way. */
export interface DecoderOptions {
  readonly name: string;
  /** Default `rms`. */
  readonly norm?: "rms" | "layer";
  /** Default: what the file says, or `silu`. */
  readonly activation?: Activation;
  /** Default true. */
  readonly gated?: boolean;
  /** The feed-forward is a mixture of experts, weighted as `share` says (see ExpertsSpec). */
  readonly experts?: Pick<ExpertsSpec, "share">;
  readonly clamp?: FeedForwardSpec["clamp"];
  /** Default false. */
  readonly parallel?: boolean;
  /** Default: 4 × width where the file says nothing and this is true. */
  readonly hiddenIsFourfold?: boolean;
  /** Where a Hugging Face file tells none; default: a head's share of the width. */
  readonly headSize?: number;
  /** Undefined: no rotation. `interleaved` says how rotated pairs lie in the file's rows. */
  readonly rope?: RopeQuestion;
  /** What attention of layer `n` does differently. */
  readonly attention?: (n: number, common: AttentionSpec) => Partial<AttentionSpec>;
  readonly residualScale?: number;
  readonly embeddingScale?: (width: number) => number;
  readonly logitScale?: number;
  readonly logitSoftcap?: number;
}

/** Throws HunchError("input") for hyper-parameters that are missing, damaged or not supported. */
export function decoderSpec(file: ModelFile, options: DecoderOptions): ModelSpec {
  const { hyper } = file;
  const experts = options.experts ? expertsOf(file, options.experts.share) : refuseExperts(file);
  refuseBidirectional(file);
  const width = hyper.integer(["embedding_length", "hidden_size"]);
  const layerCount = hyper.integer(["block_count", "num_hidden_layers"]);
  if (layerCount > file.tensors.size) {
    const message = `${layerCount} layers are announced, but there are only ${file.tensors.size} tensors`;
    throw hyper.wrong("block_count", message, "the file is incomplete");
  }
  const rope = options.rope && readRope(file, headSizeOf(file, width, options), options.rope);
  const context = contextOf(file, rope?.context);
  const attention = commonAttention(file, width, options, rope?.spec);
  const hidden = hyper.integer(
    [
      ...experts ? ["expert_feed_forward_length", "moe_intermediate_size"] : [],
      "feed_forward_length",
      "intermediate_size",
    ],
    options.hiddenIsFourfold ? 4 * width : undefined,
  );
  const activation = options.activation ?? activationOf(file);
  const feedForward: FeedForwardSpec = {
    hidden,
    activation,
    gated: options.gated ?? true,
    ...options.clamp && { clamp: options.clamp },
    ...experts && { experts },
  };
  const layers = Array.from({ length: layerCount }, (_, n): LayerSpec => {
    const own = { ...attention, ...options.attention?.(n, attention) };
    // A window that covers the longest text hides nothing. Texts may be longer than the model was made for.
    const longest = Math.max(context, file.context ?? 0);
    const window = own.window !== undefined && own.window < longest ? own.window : undefined;
    return {
      attention: { ...own, window },
      feedForward,
      parallel: options.parallel ?? false,
      residualScale: options.residualScale ?? 1,
    };
  });
  return {
    architecture: options.name,
    vocab: vocabOf(file),
    width,
    context,
    longest: rope?.longest,
    layers,
    norm: { kind: options.norm ?? "rms", epsilon: epsilonOf(file, options.norm ?? "rms") },
    embeddingScale: options.embeddingScale?.(width) ?? 1,
    logitScale: options.logitScale ?? 1,
    logitSoftcap: options.logitSoftcap,
  };
}

function commonAttention(
  file: ModelFile,
  width: number,
  options: DecoderOptions,
  rope: AttentionSpec["rope"],
): AttentionSpec {
  const { hyper } = file;
  const heads = hyper.integer(["attention.head_count", "num_attention_heads"]);
  const kvHeads = hyper.integer(["attention.head_count_kv", "num_key_value_heads"], heads);
  if (heads % kvHeads) throw hyper.wrong("num_key_value_heads", `${heads} heads cannot share ${kvHeads} key heads`);
  const headSize = headSizeOf(file, width, options);
  const valueSize = hyper.integer(["attention.value_length"], headSize);
  if (valueSize !== headSize) {
    throw hyper.wrong("attention.value_length", `values of ${valueSize} beside keys of ${headSize} are not supported`);
  }
  return { heads, kvHeads, headSize, scale: 1 / Math.sqrt(headSize), rope };
}

function headSizeOf(file: ModelFile, width: number, options: DecoderOptions): number {
  const heads = file.hyper.integer(["attention.head_count", "num_attention_heads"]);
  const share = Math.floor(width / heads) || 1;
  const fallback = file.kind === "huggingFace" ? options.headSize ?? share : share;
  const size = file.hyper.integer(["attention.key_length", "head_dim"], fallback);
  if (size > 1 << 16) throw file.hyper.wrong("head_dim", `a head of ${size} numbers is not sensible`);
  return size;
}

function contextOf(file: ModelFile, longest?: number): number {
  const own = longest ?? file.hyper.integer(["context_length", "max_position_embeddings"]);
  return file.context === undefined || longest !== undefined ? own : Math.min(own, file.context);
}

/** The embedding's rows are what counts; the hyper-parameter is often missing or padded differently. */
function vocabOf({ embed, hyper }: ModelFile): number {
  if (embed && !(embed.shape[0] >= 1)) throw hyper.wrong(embed.name, "the vocabulary is empty");
  return embed?.shape[0] ?? hyper.integer(["vocab_size"]);
}

function epsilonOf(file: ModelFile, kind: "rms" | "layer"): number {
  const names = kind === "rms"
    ? ["attention.layer_norm_rms_epsilon", "rms_norm_eps"]
    : ["attention.layer_norm_epsilon", "layer_norm_eps"];
  return file.hyper.positive(names);
}

const ACTIVATIONS: Record<string, Activation> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "gelu-tanh",
  gelu_fast: "gelu-tanh",
  gelu_pytorch_tanh: "gelu-tanh",
};

export function activationOf(file: ModelFile, fallback = "silu", field = "hidden_act"): Activation {
  const name = file.hyper.text([field], fallback);
  if (!Object.hasOwn(ACTIVATIONS, name)) {
    throw file.hyper.wrong(
      file.hyper.find([field])?.name ?? field,
      `the activation ${name} is not supported`,
      "use another model",
    );
  }
  return ACTIVATIONS[name];
}

const EXPERTS = ["expert_count", "num_local_experts", "num_experts", "n_routed_experts"];

/** GGUF's numbers: not told, softmax of all, softmax of the chosen. */
const SOFTMAX = [0, 1, 3];

function expertsOf({ hyper, router }: ModelFile, share: ExpertsSpec["share"]): ExpertsSpec {
  const count = hyper.integer(EXPERTS);
  const names = ["expert_used_count", "num_experts_per_tok", "experts_per_token"];
  const used = hyper.integer(names);
  if (used > count || count > 1 << 14) {
    throw hyper.wrong(hyper.find(names)!.name, `${used} of ${count} experts are not possible`);
  }
  const rows = router?.shape[0] ?? 0; // before anything is done for each expert
  if (rows !== count) {
    throw hyper.wrong(hyper.find(EXPERTS)!.name, `${count} experts are announced, but the router has ${rows} rows`);
  }
  const gating = hyper.integer(["expert_gating_func"], 0);
  if (!(share === "chosen" ? SOFTMAX : SOFTMAX.slice(0, 2)).includes(gating)) {
    throw hyper.wrong("expert_gating_func", `experts that are weighted by function ${gating} are not supported`);
  }
  const scale = hyper.number(["expert_weights_scale"], 0);
  if (scale !== 0 && scale !== 1) {
    throw hyper.wrong("expert_weights_scale", `weights of experts that are scaled by ${scale} are not supported`);
  }
  return { count, used, share };
}

function refuseExperts(file: ModelFile): undefined {
  if (file.hyper.integer(EXPERTS, 0) > 0) {
    throw file.hyper.wrong(
      file.hyper.find(EXPERTS)!.name,
      "mixtures of experts of this architecture are not supported",
      "use a dense model",
    );
  }
}

/** Embedding models are made of generating ones and go by their names. */
function refuseBidirectional({ hyper }: ModelFile): void {
  const wrong = (name: string) => {
    const message = "rows that see later ones, as in models that make embeddings, are not supported";
    return hyper.wrong(name, message, "take a model that generates text");
  };
  for (const name of ["attention.causal", "is_causal"]) if (!hyper.flag([name], true)) throw wrong(name);
  const name = "use_bidirectional_attention";
  if (hyper.flag([name], false)) throw wrong(name);
}
