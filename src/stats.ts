// What a generation cost and what drafting brought.

/** Times in milliseconds. */
export interface Stats {
  readonly promptTokens: number;
  readonly tokens: number;
  /** Target passes after the prompt. */
  readonly passes: number;
  /** Rows over all passes, padding included. */
  readonly rows: number;
  /** Nodes drafted and accepted. */
  readonly drafted: number;
  readonly accepted: number;
  /** offeredAt[d]: rounds whose draft reached depth d + 1; acceptedAt[d]: rounds that accepted that deep. */
  readonly offeredAt: readonly number[];
  readonly acceptedAt: readonly number[];
  readonly prefillMs: number;
  /** From the call to the first token. */
  readonly firstTokenMs: number;
  readonly draftMs: number;
  /** Inside target passes. */
  readonly verifyMs: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
  /** Of names such as `lookup`, `token`, `onnx:cpu`, `exact`. */
  readonly method: {
    readonly drafter: string;
    readonly rule: string;
    readonly controller: string;
    readonly engine: string;
    readonly format: string;
    readonly lossless: boolean;
  };
  /**
   * Over plain decoding of the same engine in the same format. `measured` where plain passes ran beside it,
   * `estimated` from the engine's cost curve; undefined where neither is known.
   */
  readonly speedup?: { readonly value: number; readonly how: "measured" | "estimated" };
  /** Rounds that the controller chose to decode plainly although a drafter was at hand. */
  readonly plainRounds: number;
}
