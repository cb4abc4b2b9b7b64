// What a generation cost and what drafting brought.

/** Times in milliseconds. */
export interface Stats {
  /** As given, before anything was dropped. */
  readonly promptTokens: number;
  /** Oldest prompt tokens dropped because the context is too short. */
  readonly droppedTokens: number;
  /** Prompt tokens that were in the cache already. */
  readonly reusedTokens: number;
  readonly tokens: number;
  /** Rounds, and target passes after the prompt: one a round. */
  readonly rounds: number;
  readonly passes: number;
  /** Rows that were asked of all these passes. */
  readonly rows: number;
  /** Passes by rows: widths[n] passes had n rows. */
  readonly widths: Readonly<Record<number, number>>;
  /** Nodes verified; tokens of the completion that were drafted and accepted. */
  readonly drafted: number;
  readonly accepted: number;
  /** Drafted nodes that were not verified, because beside branches the engine's scores are not exact. */
  readonly leftOut: number;
  /** offeredAt[d]: rounds whose draft reached depth d + 1; acceptedAt[d]: accepted tokens that stood so deep. */
  readonly offeredAt: readonly number[];
  readonly acceptedAt: readonly number[];
  /**
   * Of a drafter with several sources, by source: nodes that were judged, because what stands above them was accepted,
   * and those accepted. Empty for others.
   */
  readonly bySource: Readonly<Record<string, { readonly judged: number; readonly accepted: number }>>;
  readonly prefillMs: number;
  /** From the call to the first token. */
  readonly firstTokenMs: number;
  /** Inside the drafter, what it does before the first round included. */
  readonly draftMs: number;
  /** Inside target passes after the prompt, and reading their scores. */
  readonly verifyMs: number;
  /** All rounds, and the drafter's beginning: what is neither drafting nor verifying is bookkeeping. Not the time that the reader of pieces took. */
  readonly decodeMs: number;
  /** Measuring the cost of passes, where there is a drafter and nothing was stored; not in `decodeMs`. */
  readonly calibrateMs: number;
  /** Of names such as `lookup`, `token`, `onnx:cpu`, `exact`. */
  readonly method: {
    readonly drafter: string;
    readonly rule: string;
    readonly controller: string;
    readonly engine: string;
    readonly format: string;
    readonly lossless: boolean;
  };
  /** Milliseconds per token of plain decoding, by which `speedup` is told; undefined where neither is known. */
  readonly plainMs?: number;
  /**
   * Over plain decoding of the same engine in the same format. `measured` where plain passes ran beside it,
   * `estimated` from the proportions of the engine's cost curve and the passes of this run; undefined where neither is known.
   */
  readonly speedup?: { readonly value: number; readonly how: "measured" | "estimated" };
  /** Rounds that the controller chose to decode plainly although a drafter was at hand. */
  readonly plainRounds: number;
}
