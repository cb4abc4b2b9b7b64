// Counts what happens in a generation, and sums it up as Stats.
import type { Round } from "../controller.ts";
import type { Stats } from "../stats.ts";
import { depthOf } from "../tree.ts";

/** From so many plain rounds on, plain decoding counts as measured beside the drafted rounds. */
const ENOUGH_PLAIN_ROUNDS = 4;

export class Meter {
  readonly #start = performance.now();
  #rounds = 0;
  #rows = 0;
  readonly #widths: Record<number, number> = {};
  #tokens = 0;
  #drafted = 0;
  #left = 0;
  #accepted = 0;
  readonly #offeredAt: number[] = [];
  readonly #acceptedAt: number[] = [];
  readonly #bySource: Record<string, { judged: number; accepted: number }> = {};
  #firstTokenMs = 0;
  #draftMs = 0;
  #verifyMs = 0;
  #decodeMs = 0;
  /** Passes by the cost curve, and as they were. */
  #expectedMs = 0;
  #actualMs = 0;
  #plainRounds = 0;
  /** Rounds that verified nothing, and what they took beside drafting. */
  #bareRounds = 0;
  #bareMs = 0;
  prefillMs = 0;
  /** Of the drafter before the first round: it drafts as well. */
  beginMs = 0;
  calibrateMs = 0;

  /**
   * `accepted`: how many of the committed tokens were drafted. `left`: drafted nodes that the pass left out. `chosePlain`:
   * the controller wanted no draft. Milliseconds of the whole round, of the drafter in it, and of the pass by the cost
   * curve (NaN where unknown).
   */
  round(
    round: Round,
    { accepted, left, chosePlain }: { readonly accepted: number; readonly left: number; readonly chosePlain: boolean },
    ms: { readonly round: number; readonly drafter: number; readonly expected: number },
  ): void {
    if (this.#rounds++ === 0) this.#firstTokenMs = performance.now() - this.#start;
    this.#rows += round.rows;
    this.#widths[round.rows] = (this.#widths[round.rows] ?? 0) + 1;
    this.#tokens += round.committed.length;
    this.#drafted += round.tree.tokens.length;
    this.#left += left;
    this.#accepted += accepted;
    const deepest = depthOf(round.tree);
    for (let depth = 1; depth <= deepest; depth++) count(this.#offeredAt, depth);
    for (let depth = 1; depth <= accepted; depth++) count(this.#acceptedAt, depth);
    this.#countSources(round);
    this.#draftMs += ms.drafter;
    this.#verifyMs += round.verifyMs;
    this.#decodeMs += ms.round;
    if (!Number.isNaN(ms.expected)) {
      this.#expectedMs += ms.expected;
      this.#actualMs += round.verifyMs;
    }
    if (chosePlain) this.#plainRounds++;
    if (round.rows === 1) {
      this.#bareRounds++;
      this.#bareMs += ms.round - ms.drafter;
    }
  }

  /** `plainCost`: milliseconds of a plain pass by the cost curve, NaN where unknown. `drafts`: a drafter is at hand. */
  stats(
    known: Pick<Stats, "promptTokens" | "droppedTokens" | "reusedTokens" | "method">,
    plainCost: number,
    drafts: boolean,
  ): Stats {
    const measured = this.#bareRounds >= ENOUGH_PLAIN_ROUNDS;
    const decodeMs = this.#decodeMs + this.beginMs;
    const plainMs = measured ? this.#bareMs / this.#bareRounds : this.#estimate(plainCost);
    return {
      ...known,
      tokens: this.#tokens,
      rounds: this.#rounds,
      passes: this.#rounds,
      rows: this.#rows,
      widths: this.#widths,
      drafted: this.#drafted,
      leftOut: this.#left,
      accepted: this.#accepted,
      offeredAt: this.#offeredAt,
      acceptedAt: this.#offeredAt.map((_, depth) => this.#acceptedAt[depth] ?? 0),
      bySource: this.#bySource,
      prefillMs: this.prefillMs,
      firstTokenMs: this.#firstTokenMs,
      draftMs: this.#draftMs + this.beginMs,
      verifyMs: this.#verifyMs,
      decodeMs,
      calibrateMs: this.calibrateMs,
      plainMs,
      speedup: drafts && plainMs !== undefined && decodeMs > 0
        ? { value: this.#tokens * plainMs / decodeMs, how: measured ? "measured" : "estimated" }
        : undefined,
      plainRounds: this.#plainRounds,
    };
  }

  #countSources({ tree: { parents, sources }, verdict }: Round): void {
    if (sources === undefined) return;
    const path = new Set(verdict.path);
    sources.forEach((source, node) => {
      if (source === "" || (parents[node] >= 0 && !path.has(parents[node]))) return;
      const seen = this.#bySource[source] ??= { judged: 0, accepted: 0 };
      seen.judged++;
      if (path.has(node)) seen.accepted++;
    });
  }

  /**
   * A plain round by the cost curve, at the speed of this run: the curve was measured at another time, when the machine
   * may have been busier, so only its proportions are believed.
   */
  #estimate(plainCost: number): number | undefined {
    if (!(plainCost > 0 && this.#expectedMs > 0)) return undefined;
    const other = (this.#decodeMs - this.#draftMs - this.#verifyMs) / this.#tokens; // mostly text, a token at a time
    return plainCost * this.#actualMs / this.#expectedMs + other;
  }
}

/** One more at a depth, 1 or more. */
function count(at: number[], depth: number): void {
  while (at.length < depth) at.push(0);
  at[depth - 1]++;
}
