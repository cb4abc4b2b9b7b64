// Optimal transport between drafts and target, as a linear programme: the most that any rule can keep.
// SpecTr (Sun et al., 2023, arXiv 2310.15141), section 4: with Q(S) the probability that the drafts are the set S, find
// x(S, t) ≥ 0 for t in S with Σ_t x(S, t) ≤ Q(S) and Σ_S x(S, t) ≤ p(t), and Σ x greatest. Solved by HiGHS.
//
// Most programmes have many solutions, and in trees they are not worth the same: most hangs below the eldest draft. So x
// is parted into what is kept as the eldest, at most Q(S, t is the eldest), and what is kept as a younger one, and the
// eldest counts for 1 + ε. What really hangs below a draft must not be asked: it may depend on the draft, and a choice
// that knew of it would not be lossless. The programme is a flow: a path that brings one more through it passes each of T
// tokens at most once and loses less than T·ε on the way, so with ε = 1/(2T) still as much as possible is kept.
import { argmax, type Distribution, entries, mass, probability, without } from "./distribution.ts";
import { carried } from "../assets/carried.ts";
import { cacheFolder } from "../assets/cache-folder.ts";
import { HunchError } from "../errors.ts";

/** A set of drafted tokens, ascending, and how likely a place has it. */
export interface DraftSet {
  readonly tokens: readonly number[];
  readonly probability: number;
  /** By token: how likely a place has this set, and that token was drafted first. They sum to `probability`. */
  readonly eldest: readonly number[];
}

/** The draft laws whose sets follow from q alone. */
export type TransportLaw = "iid" | "distinct" | "top-and-one";

/** Every set of drafts that `n` draws from `q` can make; q must be normalised under the law `iid`; undefined where there are more than `most`. */
export function draftSets(q: Distribution, law: TransportLaw, n: number, most = 5000): DraftSet[] | undefined {
  const sets = new Map<string, DraftSet>();
  // Sets grow by one draw at a time. Without replacement the next draw depends on the set only, not on its order.
  let grown = new Map<string, DraftSet>([["", { tokens: [], probability: 1, eldest: [] }]]);
  for (let i = 0; i < n; i++) {
    const next: typeof grown = new Map();
    for (const set of grown.values()) {
      const from = law === "iid" ? q : without(q, set.tokens);
      if (from === undefined) {
        sets.set(set.tokens.join(), set);
        continue;
      }
      const chosen = law === "top-and-one" && i < n - 1;
      for (const [token, p] of chosen ? [[argmax(from), 1]] : entries(from)) {
        const more = withDraw(set, token, p);
        const key = more.tokens.join();
        const already = next.get(key);
        next.set(key, already === undefined ? more : together(already, more));
      }
      if (next.size > most) return undefined;
    }
    grown = next;
  }
  for (const [key, set] of grown) sets.set(key, set);
  return [...sets.values()];
}

/** A set after one more draw, which has probability `p`. */
function withDraw({ tokens, probability, eldest }: DraftSet, token: number, p: number): DraftSet {
  const firsts = eldest.map((value) => value * p);
  if (tokens.includes(token)) return { tokens, probability: probability * p, eldest: firsts };
  const at = tokens.filter((other) => other < token).length;
  return {
    tokens: tokens.toSpliced(at, 0, token),
    probability: probability * p,
    eldest: firsts.toSpliced(at, 0, tokens.length === 0 ? p : 0),
  };
}

/** The same set, come about in two ways. */
function together(a: DraftSet, b: DraftSet): DraftSet {
  const eldest = a.eldest.map((value, i) => value + b.eldest[i]);
  return { tokens: a.tokens, probability: a.probability + b.probability, eldest };
}

/** x(S, t) by set and token of the set: how likely a place has the set and keeps the token. */
export interface Transport {
  /** Where it is the eldest; at most `DraftSet.eldest`. */
  readonly eldest: readonly (readonly number[])[];
  /** Beyond that, whichever is the eldest. */
  readonly other: readonly (readonly number[])[];
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

/** Loads HiGHS, once. Throws HunchError("unavailable") where its library cannot be loaded. */
export function loadTransport(): Promise<Solver> {
  return loading ??= loadHighs();
}

async function loadHighs(): Promise<Solver> {
  try {
    // Its types are a CommonJS module to Deno and an ES module to tsc; this is the part of them that is used.
    const load = (await import("highs")).default as unknown as (options?: Locate) => Promise<Highs>;
    const file = await carried("node_modules/highs/build/highs.wasm", cacheFolder());
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
      { hint: "run hunch from its repository after npm install, or choose another rule" },
    );
  }
}

/** The programme in the LP format. `e` is what is kept as the eldest, `o` the rest. */
function programme(p: Distribution, sets: readonly DraftSet[]): string {
  const objective: string[] = [];
  const offers: string[] = [];
  const bounds: string[] = [];
  const needs = new Map<number, string[]>();
  const bonus = 1 / (2 * new Set(sets.flatMap(({ tokens }) => tokens)).size);
  sets.forEach(({ tokens, probability, eldest }, s) => {
    const offered: string[] = [];
    tokens.forEach((token, i) => {
      const names = tokens.length > 1 ? [`e${s}_${token}`, `o${s}_${token}`] : [`e${s}_${token}`];
      objective.push(`${1 + bonus} ${names[0]}`, ...names.slice(1));
      bounds.push(` ${names[0]} <= ${eldest[i]}`);
      offered.push(...names);
      needs.set(token, [...needs.get(token) ?? [], ...names]);
    });
    offers.push(` offer${s}: ${offered.join(" + ")} <= ${probability}`);
  });
  const rows = [...needs].map(([token, names]) => ` need${token}: ${names.join(" + ")} <= ${probability(p, token)}`);
  return [
    "Maximize",
    ` kept: ${objective.join(" + ")}`,
    "Subject To",
    ...offers,
    ...rows,
    "Bounds",
    ...bounds,
    "End",
    "",
  ].join("\n");
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
  const offered = sets.map(({ tokens, probability, eldest }, s) => {
    const first = tokens.map((token, i) => Math.min(eldest[i], Math.max(0, value(`e${s}_${token}`))));
    const rest = tokens.map((token) => Math.max(0, value(`o${s}_${token}`)));
    const sum = [...first, ...rest].reduce((a, b) => a + b, 0);
    const scale = sum > probability ? probability / sum : 1;
    return { eldest: first.map((x) => x * scale), other: rest.map((x) => x * scale) };
  });
  const eldest = offered.map((set) => set.eldest);
  const other = offered.map((set) => set.other);
  const taken = takenBy(p.vocab, sets, { eldest, other });
  const scaled = (keep: readonly (readonly number[])[]) =>
    keep.map((shares, s) =>
      shares.map((share, i) => {
        const token = sets[s].tokens[i];
        const most = probability(p, token);
        return taken[token] > most ? share * (most / taken[token]) : share;
      })
    );
  const repaired = { eldest: scaled(eldest), other: scaled(other) };
  return { ...repaired, kept: mass({ vocab: p.vocab, probabilities: takenBy(p.vocab, sets, repaired) }) };
}

/** How often each token is kept, [vocab]. */
export function takenBy(
  vocab: number,
  sets: readonly DraftSet[],
  { eldest, other }: Pick<Transport, "eldest" | "other">,
): Float64Array {
  const taken = new Float64Array(vocab);
  sets.forEach(({ tokens }, s) => tokens.forEach((token, i) => taken[token] += eldest[s][i] + other[s][i]));
  return taken;
}
