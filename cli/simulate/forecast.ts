// What a drafter would bring, from how often its guesses are kept and what passes cost. With a chain of n nodes a round
// brings 1 + Σ P(the node at depth d is kept) tokens and takes a pass over n + 1 rows and n steps of the drafter
// (Fast Inference from Transformers via Speculative Decoding, Leviathan et al., 2023, arXiv 2211.17192, with the cost of a
// pass by its rows in place of a constant, and acceptance by depth in place of one rate).

/** How good a drafter's guesses are. */
export interface Guesses {
  /** [depth] Of guesses of that depth whose elders were kept, the share that is kept, 0…1. The last goes on. */
  readonly acceptance: readonly number[];
  /** [depth] Share of rounds that have a guess of that depth, 0…1; the last goes on. Absent: all. */
  readonly offered?: readonly number[];
  /**
   * [depth] Share of all rounds in which a guess of that depth was kept, where that was measured; none beyond. It is not
   * the product of the others: rounds with deep guesses are those in which guessing is easy.
   */
  readonly kept?: readonly number[];
  /** [rank] How often the second, third, … child is right, in proportion to the first; none where absent. */
  readonly others?: readonly number[];
  /** Milliseconds of a step of the drafter, which brings one level of a draft. */
  readonly draftMs: number;
  /** Milliseconds of the drafter in every round, whatever it finds. Absent: none. */
  readonly roundMs?: number;
}

/** Milliseconds of a target pass over so many rows. */
export type Cost = (rows: number) => number;

export interface Forecast {
  readonly nodes: number;
  readonly depth: number;
  /** Nodes at each depth. */
  readonly widths: readonly number[];
  readonly tokensPerPass: number;
  readonly tokensPerSecond: number;
  /** Over plain decoding. */
  readonly speedup: number;
}

const goingOn = (values: readonly number[], depth: number) => values[Math.min(depth, values.length) - 1];

/** Chains of 0 (plain decoding), 1, … `most` nodes. */
export function chains(guesses: Guesses, cost: Cost, most: number): Forecast[] {
  const { acceptance, offered = [1], kept, draftMs, roundMs = 0 } = guesses;
  if (kept !== undefined) return measuredChains({ ...guesses, kept, offered }, cost, most);
  const out: Forecast[] = [];
  let reached = 1;
  let tokens = 1;
  // A round's draft is as long as guesses are at hand: P(it has d nodes or more) is what is offered at d.
  let ms = cost(1);
  for (let depth = 0; depth <= most; depth++) {
    if (depth > 0) {
      const share = goingOn(offered, depth);
      reached *= goingOn(acceptance, depth);
      tokens += share * reached;
      ms += share * (cost(depth + 1) - cost(depth) + draftMs) + (depth === 1 ? roundMs : 0);
    }
    const widths = new Array<number>(depth).fill(1);
    out.push({ nodes: depth, depth, widths, ...rated(tokens, ms, cost) });
  }
  return out;
}

/**
 * Of drafts that were measured: what was kept in one round is said again in as many rounds of shorter drafts as it takes.
 * Easy places come in stretches: where k guesses were kept, the next ones are right as well, so a chain of n says the
 * k + 1 tokens in (k + 1) / (n + 1) rounds, rounded up where a refusal ended them, which begins a new draft in any case.
 */
function measuredChains(
  { offered, kept, draftMs, roundMs = 0 }: Guesses & Required<Pick<Guesses, "offered" | "kept">>,
  cost: Cost,
  most: number,
): Forecast[] {
  const reached = [1, ...kept];
  const tokens = reached.reduce((a, b) => a + b);
  const rounds = (length: number) =>
    reached.reduce((sum, share, k) => {
      const parts = (k + 1) / (length + 1);
      // All that was drafted was kept: the stretch goes on.
      return sum + (share - (reached[k + 1] ?? 0)) * (k < kept.length ? Math.ceil(parts) : Math.max(1, parts));
    }, 0);
  let ms = cost(1); // of the first of those rounds, whose draft is as long as guesses were at hand
  return Array.from({ length: most + 1 }, (_, depth) => {
    if (depth > 0) {
      ms += goingOn(offered, depth) * (cost(depth + 1) - cost(depth) + draftMs) + (depth === 1 ? roundMs : 0);
    }
    const more = rounds(depth) - 1;
    const whole = ms + more * (cost(depth + 1) + depth * draftMs + (depth > 0 ? roundMs : 0));
    const rate = rated(tokens, whole, cost);
    return {
      nodes: depth,
      depth,
      widths: new Array<number>(depth).fill(1),
      ...rate,
      tokensPerPass: tokens / (more + 1),
    };
  });
}

/** The best trees of 1 to `most` nodes, where children beside the first have a chance: worthiest nodes first. */
export function trees(
  { acceptance, others = [], draftMs, roundMs = 0 }: Guesses,
  cost: Cost,
  most: number,
): Forecast[] {
  const chance = (depth: number, rank: number) => goingOn(acceptance, depth) * (rank === 0 ? 1 : others[rank - 1] ?? 0);
  const open: { depth: number; rank: number; parent: number; worth: number }[] = [];
  const offer = (depth: number, rank: number, parent: number) => {
    const worth = parent * Math.min(1, chance(depth, rank));
    if (worth > 0) open.push({ depth, rank, parent, worth });
  };
  offer(1, 0, 1);
  const widths: number[] = [];
  const out: Forecast[] = [];
  let tokens = 1;
  while (out.length < most && open.length > 0) {
    open.sort((a, b) => a.worth - b.worth);
    const { depth, rank, parent, worth } = open.pop()!;
    tokens += worth;
    widths[depth - 1] = (widths[depth - 1] ?? 0) + 1;
    offer(depth, rank + 1, parent);
    offer(depth + 1, 0, worth);
    const nodes = out.length + 1;
    const ms = cost(nodes + 1) + roundMs + widths.length * draftMs;
    out.push({ nodes, depth: widths.length, widths: [...widths], ...rated(tokens, ms, cost) });
  }
  return out;
}

export function best(forecasts: readonly Forecast[]): Forecast {
  return forecasts.reduce((best, other) => other.speedup > best.speedup ? other : best);
}

/** The least acceptance, the same at every depth, from which on some chain is faster than plain decoding; undefined: none. */
export function breakEven(guesses: Guesses, cost: Cost, most: number): number | undefined {
  const pays = (acceptance: number) =>
    best(chains({ ...guesses, acceptance: [acceptance], kept: undefined }, cost, most)).speedup > 1;
  if (!pays(1)) return undefined;
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (pays(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function rated(tokens: number, ms: number, cost: Cost) {
  const plain = cost(1);
  return { tokensPerPass: tokens, tokensPerSecond: 1000 * tokens / ms, speedup: tokens * plain / ms };
}
