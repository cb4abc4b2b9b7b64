// The most that any lossless rule can keep of `n` drafts at one place, for each draft law, without solving a programme.
// Towards Optimal Multi-draft Speculative Decoding (Hu et al., 2025, arXiv 2502.18779), theorems 2 and 3:
//   α* = 1 + min over token sets H of [p(H) − Q(all drafts are in H)],
// and for these laws the best H is a prefix of the vocabulary ordered by q/p descending. So the bound costs one sort.
import { type Distribution, normalise, overlap, probability, top, without } from "../math/distribution.ts";
import type { DraftLaw } from "../tree.ts";
import { ascending } from "../math/ascending.ts";
import { allDrawnWithin } from "./without-replacement.ts";

/** Tokens of q in the order of q/p descending (p/q ascending), with both probabilities. */
interface Ranked {
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/** Optimal acceptance of the first drafted token, 0…1; `p` and `q` need not be normalised. Undefined for beams. */
export function optimalAcceptance(p: Distribution, q: Distribution, law: DraftLaw, n: number): number | undefined {
  const target = normalise(p);
  if (law === "beam") return undefined; // how many siblings a place has is itself drawn
  if (law === "point") {
    let kept = 0;
    for (const token of likeliest(q, n)) kept += probability(target, token);
    return kept;
  }
  const draft = normalise(q);
  if (law === "top-and-one") {
    const chosen = top(q, n - 1);
    const rest = n > 1 ? without(q, chosen) : draft;
    let kept = rest === undefined ? 0 : overlap(target, rest);
    for (const token of chosen) kept += probability(target, token);
    return Math.min(1, kept);
  }
  const ranked = rank(target, draft);
  return law === "iid" || n === 1 ? prefixBound(ranked, (c) => c ** n) : prefixBoundDistinct(ranked, n);
}

/** The `n` likeliest tokens; equal ones by ascending id, impossible ones last. */
function likeliest(q: Distribution, n: number): number[] {
  const tokens = top(q, n);
  for (let token = 0; tokens.length < n && token < q.vocab; token++) if (!tokens.includes(token)) tokens.push(token);
  return tokens;
}

/** min over prefixes of 1 + p(H) − within(q(H)). */
function prefixBound({ p, q }: Ranked, within: (mass: number) => number): number {
  let best = 1;
  let inP = 0;
  let inQ = 0;
  for (let i = 0; i < q.length; i++) {
    inP += p[i];
    inQ += q[i];
    best = Math.min(best, 1 + inP - within(Math.min(inQ, 1)));
  }
  return Math.max(best, 0);
}

function prefixBoundDistinct({ p, q }: Ranked, n: number): number {
  if (q.length <= n) return Math.min(1, p.reduce((a, b) => a + b, 0)); // every token of q is drafted
  const within = allDrawnWithin(q, n);
  let best = 1;
  let inP = 0;
  for (let i = 0; i < q.length; i++) {
    inP += p[i];
    // As p only grows and no prefix is hit more often than always, the rest cannot be better.
    if (inP >= best) break;
    best = Math.min(best, 1 + inP - within(i + 1));
  }
  return Math.max(best, 0);
}

/** The tokens of q in the order of p/q ascending: where the target wants them least, the draft offers them in vain. */
function rank(target: Distribution, draft: Distribution): Ranked {
  // Plain loops over one list of tokens: with 200,000 of them, calls and copies would cost more than the sort.
  const tokens: Int32Array = draft.tokens ?? Int32Array.from(draft.probabilities.keys());
  const direct = target.tokens === undefined ? target.probabilities : undefined;
  const inTarget = new Float64Array(tokens.length);
  const ratio = new Float64Array(tokens.length);
  for (let i = 0; i < tokens.length; i++) {
    inTarget[i] = direct ? direct[tokens[i]] : probability(target, tokens[i]);
    // A token that q never draws comes last, where it can only add to p.
    ratio[i] = draft.probabilities[i] > 0 ? inTarget[i] / draft.probabilities[i] : Infinity;
  }
  const order = ascending(ratio);
  const p = new Float64Array(order.length);
  const q = new Float64Array(order.length);
  let size = 0;
  for (let k = 0; k < order.length; k++) {
    if (!(draft.probabilities[order[k]] > 0)) continue;
    p[size] = inTarget[order[k]];
    q[size++] = draft.probabilities[order[k]];
  }
  return { p: p.subarray(0, size), q: q.subarray(0, size) };
}
