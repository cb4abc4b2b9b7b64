// What a decoder-only transformer computes, in one vocabulary for every architecture and every engine.
//
// An architecture file turns a model file's hyper-parameters into this and names its tensors; engines read only this.
// Which norms and biases a layer has is told by which canonical tensors are there (see TENSORS).

/** Rotary position embedding. Frequencies are per pair of the rotated part, radians per position. */
export interface RopeSpec {
  /** [dimensions / 2], scaling (linear, Llama-3, YaRN, longrope) already applied. */
  readonly frequencies: Float64Array;
  /** Factor on cos and sin (YaRN and longrope attention factor); 1 otherwise. */
  readonly magnitude: number;
  /** Leading elements of each head that are rotated; ≤ headSize. */
  readonly dimensions: number;
  /** True: pairs are (0,1), (2,3), …; false: (0, d/2), (1, d/2+1), …. */
  readonly interleaved: boolean;
}

export interface AttentionSpec {
  readonly heads: number;
  readonly kvHeads: number; // divides heads
  readonly headSize: number;
  /** Factor on q·k, e.g. 1/√headSize. */
  readonly scale: number;
  /** Undefined: positions enter elsewhere (GPT-2) or not at all (SmolLM3's fourth layers). */
  readonly rope?: RopeSpec;
  /** Queries at position p are multiplied by 1 + beta · ln(1 + ⌊p / every⌋) (Ministral 3, of whole rotated heads). */
  readonly growth?: { readonly beta: number; readonly every: number };
  /** A row sees itself and the window−1 positions before it. Undefined: all. */
  readonly window?: number;
  /** cap·tanh(score/cap) before the soft-max. */
  readonly softcap?: number;
}

export type Activation = "silu" | "gelu" | "gelu-tanh";

export interface FeedForwardSpec {
  readonly hidden: number;
  readonly activation: Activation;
  /** down(activation(gate(x)) · up(x)), otherwise down(activation(up(x))). */
  readonly gated: boolean;
  /** gpt-oss, gated: gate ≤ limit, |up| ≤ limit, and down(gate · σ(alpha · gate) · (up + 1)) instead. */
  readonly clamp?: { readonly limit: number; readonly alpha: number };
  /** There are many such blocks, each `hidden` wide, and a router chooses some for every row. */
  readonly experts?: ExpertsSpec;
}

/** A mixture of experts: Outrageously Large Neural Networks (2017, arXiv:1701.06538). */
export interface ExpertsSpec {
  readonly count: number;
  /** Experts that a row goes through, those with the largest scores; their results are added up, weighted. */
  readonly used: number;
  /** A weight is the expert's share in the soft-max over `all` scores, or over those of the `chosen` ones. */
  readonly share: "all" | "chosen";
}

export interface LayerSpec {
  readonly attention: AttentionSpec;
  readonly feedForward: FeedForwardSpec;
  /** True (GPT-NeoX): x + attention(norm(x)) + feedForward(norm'(x)); false: one after the other. */
  readonly parallel: boolean;
  /** Factor on what a block adds to the residual stream (Granite); 1 otherwise. */
  readonly residualScale: number;
}

export interface ModelSpec {
  /** As in `architectures/`, e.g. "llama". */
  readonly architecture: string;
  readonly vocab: number;
  readonly width: number;
  /** Longest text the model was made for, tokens. */
  readonly context: number;
  /**
   * The longest text that the rotation could be resolved for in place of `context`, where it depends on that (longrope,
   * dynamic): see OpenOptions. Absent elsewhere, and where a converted file has it settled.
   */
  readonly longest?: number;
  readonly layers: readonly LayerSpec[];
  /** `layer` subtracts the mean and may have biases; `rms` does not. Gains are stored ready to multiply. */
  readonly norm: { readonly kind: "rms" | "layer"; readonly epsilon: number };
  /** Factor on token embeddings; 1 otherwise. */
  readonly embeddingScale: number;
  /** Factor on the logits, then cap·tanh(logit/cap). */
  readonly logitScale: number;
  readonly logitSoftcap?: number;
}

/**
 * Canonical tensor names. Matrices are [out, in], row-major. `?` marks those a model may lack.
 *
 *     embed.weight [vocab, width]        positions.weight? [context, width] (learned, GPT-2)
 *     output.weight? [vocab, width] (absent: tied to embed)   output.bias?
 *     norm.weight, norm.bias?            the last norm
 *     layers.N.attention.norm.weight?    layers.N.attention.norm.bias?        before attention
 *     layers.N.attention.{q,k,v,output}.weight, .bias?
 *     layers.N.attention.{qNorm,kNorm}.weight?   [headSize] per head, or [heads·headSize] over all heads (OLMo 2)
 *     layers.N.attention.postNorm.weight?        on what attention adds to the stream
 *     layers.N.feedForward.norm.weight?, .bias?  before the feed-forward
 *     layers.N.feedForward.{gate?,up,down}.weight, .bias?
 *     layers.N.feedForward.postNorm.weight?
 *     layers.N.attention.sinks?                  [heads], scores of what is attended to in vain (gpt-oss)
 * In place of gate, up and down where there are experts:
 *     layers.N.feedForward.router.weight [experts, width], .bias?
 *     layers.N.feedForward.experts.E.{gate?,up,down}.weight, .bias?
 */
export const TENSORS = ["embed", "positions", "output", "norm", "attention", "feedForward"] as const;
