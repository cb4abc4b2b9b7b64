// Optimal transport between drafts and target, as a linear programme: the most that any rule can keep.
// SpecTr (Sun et al., 2023, arXiv 2310.15141), section 4: with Q(S) the probability that the drafts are the set S, find
// x(S, t) ≥ 0 for t in S with Σ_t x(S, t) ≤ Q(S) and Σ_S x(S, t) ≤ p(t), and Σ x greatest. Solved by HiGHS.
import { argmax, type Distribution, entries, mass, probability, without } from "../distribution.ts";
import { HunchError } from "../errors.ts";
import type { DraftLaw } from "../tree.ts";

/** A set of drafted tokens, ascending, and how likely a place has it. */
export interface DraftSet {
  readonly tokens: readonly number[];
  readonly probability: number;
}

/** The laws whose sets follow from q alone. */
export type TransportLaw = Extract<DraftLaw, "iid" | "distinct" | "top-and-one">;

/** Every set of drafts that `n` draws from `q` can make; q must be normalised under the law `iid`; undefined where there are more than `most`. */
export function draftSets(q: Distribution, law: TransportLaw, n: number, most = 5000): DraftSet[] | undefined {
  const sets = new Map<string, { tokens: number[]; probability: number }>();
  // Sets grow by one draw at a time. Without replacement the next draw depends on the set only, not on its order.
  let grown = new Map([["", { tokens: [] as number[], probability: 1 }]]);
  for (let i = 0; i < n; i++) {
    const next: typeof grown = new Map();
    for (const { tokens, probability } of grown.values()) {
      const from = law === "iid" ? q : without(q, tokens);
      if (from === undefined) {
        sets.set(tokens.join(), { tokens, probability });
        continue;
      }
      const chosen = law === "top-and-one" && i < n - 1;
      for (const [token, p] of chosen ? [[argmax(from), 1]] : entries(from)) {
        const set = [...new Set([...tokens, token])].sort((a, b) => a - b);
        const already = next.get(set.join());
        if (already) already.probability += probability * p;
        else next.set(set.join(), { tokens: set, probability: probability * p });
      }
      if (next.size > most) return undefined;
    }
    grown = next;
  }
  for (const [key, set] of grown) sets.set(key, set);
  return [...sets.values()];
}

/** x(S, t)/Q(S): how often token `tokens[i]` of a set is kept. */
export interface Transport {
  readonly keep: readonly (readonly number[])[];
  /** Σ x, the probability that any draft is kept. */
  readonly kept: number;
}

/** Solves one programme; see `loadTransport`. */
export type Solver = (p: Distribution, sets: readonly DraftSet[]) => Transport;

interface Locate {
  locateFile(name: string): string;
}

interface Highs {
  solve(problem: string, options: Record<string, number>): { Columns: Record<string, { Primal?: number }> };
}

let loading: Promise<Solver> | undefined;
let locate: (() => Promise<string | undefined>) | undefined;

/** For standalone binaries: a function that unpacks HiGHS' WebAssembly module and says where it is. */
export function setSolverLocator(locator: () => Promise<string | undefined>): void {
  locate = locator;
}

/** Loads HiGHS, once. Throws HunchError("unavailable") where its library cannot be loaded. */
export function loadTransport(): Promise<Solver> {
  return loading ??= loadHighs();
}

async function loadHighs(): Promise<Solver> {
  try {
    // Its types are a CommonJS module to Deno and an ES module to tsc; this is the part of them that is used.
    const load = (await import("highs")).default as unknown as (options?: Locate) => Promise<Highs>;
    const file = await locate?.();
    const highs = await load(file === undefined ? undefined : { locateFile: () => file });
    return (p, sets) =>
      repair(p, sets, (problem) => {
        const solution = highs.solve(problem, {
          primal_feasibility_tolerance: 1e-10,
          dual_feasibility_tolerance: 1e-10,
        });
        return (name) => solution.Columns[name]?.Primal ?? 0;
      });
  } catch (cause) {
    throw new HunchError(
      "unavailable",
      `the linear programming library HiGHS did not load: ${cause instanceof Error ? cause.message : cause}`,
      {},
      "run hunch from its repository after npm install, or choose another rule",
    );
  }
}

/** The programme in the LP format. */
function programme(p: Distribution, sets: readonly DraftSet[]): string {
  const objective: string[] = [];
  const offers: string[] = [];
  const needs = new Map<number, string[]>();
  sets.forEach(({ tokens, probability }, s) => {
    const names = tokens.map((token) => `x${s}_${token}`);
    objective.push(...names);
    offers.push(` offer${s}: ${names.join(" + ")} <= ${probability}`);
    tokens.forEach((token, i) => needs.set(token, [...needs.get(token) ?? [], names[i]]));
  });
  const rows = [...needs].map(([token, names]) => ` need${token}: ${names.join(" + ")} <= ${probability(p, token)}`);
  return ["Maximize", ` kept: ${objective.join(" + ")}`, "Subject To", ...offers, ...rows, "End", ""].join("\n");
}

/**
 * A solver is right to about 1e-9 only. Its answer is scaled down until it respects Q and p in float64, so that what
 * it keeps of each token never exceeds p; the rest of p is then for the residual, and the rule is lossless exactly.
 */
function repair(
  p: Distribution,
  sets: readonly DraftSet[],
  solve: (problem: string) => (name: string) => number,
): Transport {
  const value = solve(programme(p, sets));
  const keep = sets.map(({ tokens, probability }, s) => {
    // A set whose probability underflowed to 0 never comes up.
    const shares = tokens.map((token) =>
      probability > 0 ? Math.min(1, Math.max(0, value(`x${s}_${token}`) / probability)) : 0
    );
    const sum = shares.reduce((a, b) => a + b, 0);
    return sum > 1 ? shares.map((share) => share / sum) : shares;
  });
  const taken = takenBy(p.vocab, sets, keep);
  const scaled = keep.map((shares, s) =>
    shares.map((share, i) => {
      const token = sets[s].tokens[i];
      const most = probability(p, token);
      return taken[token] > most ? share * (most / taken[token]) : share;
    })
  );
  return { keep: scaled, kept: mass({ vocab: p.vocab, probabilities: takenBy(p.vocab, sets, scaled) }) };
}

/** How often each token is kept, [vocab]. */
export function takenBy(vocab: number, sets: readonly DraftSet[], keep: Transport["keep"]): Float64Array {
  const taken = new Float64Array(vocab);
  sets.forEach(({ tokens, probability }, s) => {
    tokens.forEach((token, i) => taken[token] += probability * keep[s][i]);
  });
  return taken;
}
