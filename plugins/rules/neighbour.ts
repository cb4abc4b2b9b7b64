// neighbour: a draft may speak for the tokens near it. RELAXED: the text is not distributed as the target's.
// LANTERN: Accelerating Visual Autoregressive Models with Relaxed Speculative Decoding (Jang et al., 2024,
// arXiv 2410.03355), equations 3 to 5: for a draft x, A(x) is grown from its k nearest tokens, nearest first, while the
// probability moved, p(A(x) without x), stays within δ. Then p' has all of p(A(x)) on x and nothing on the others of
// A(x), so the total variation from p is at most δ, and an ordinary step is taken with p' in place of p.
//
// Near is by cosine of the target's input embeddings, looked for among the 64 tokens that the target finds likeliest:
// others have no probability worth moving.
import type { Engine } from "../../src/backend.ts";
import { type Distribution, normalise, probability, residual, top } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { drawnFrom } from "./recursive.ts";
import { acceptance, tokenLevel } from "./walk.ts";

const CANDIDATES = 64;

/** How alike two tokens are: greater is nearer. */
export type Likeness = (a: number, b: number) => number;

/** p with the probability of the draft's neighbours moved onto the draft; p itself where the draft has none in it. */
export function gather(p: Distribution, x: number, nearest: number, delta: number, alike: Likeness): Distribution {
  if (!(probability(p, x) > 0)) return p; // a token that the target excludes speaks for none
  const near = top(p, CANDIDATES).filter((token) => token !== x)
    .map((token) => ({ token, likeness: alike(x, token) }))
    .sort((a, b) => b.likeness - a.likeness || a.token - b.token)
    .slice(0, nearest);
  const values = new Float64Array(p.vocab);
  for (let i = 0; i < p.probabilities.length; i++) {
    values[p.tokens === undefined ? i : p.tokens[i]] = p.probabilities[i];
  }
  let moved = 0;
  for (const { token } of near) {
    const value = probability(p, token);
    if (moved + value > delta) break;
    moved += value;
    values[token] = 0;
    values[x] += value;
  }
  return moved > 0 ? normalise({ vocab: p.vocab, probabilities: values }) : p;
}

/** `nearest` ≥ 0 tokens, `delta` in 0…1. With either at 0 it is the rule `recursive`, lossless. */
export function neighbour(nearest: number, delta: number, alike: Likeness): VerificationRule {
  return tokenLevel("neighbour", ["point", "iid", "distinct", "top-and-one", "beam"], (siblings, chance) => {
    let p = siblings.p;
    for (let i = 0; i < siblings.drafts.length; i++) {
      const x = siblings.drafts[i];
      const q = drawnFrom(siblings, i);
      if (q === undefined) break;
      p = gather(p, x, nearest, delta, alike);
      if (chance.flip(acceptance(probability(p, x), probability(q, x)))) return x;
      p = residual(p, q);
    }
    return chance.pick(p);
  }, false);
}

/** Cosine of the rows of the target's embedding, read as they are asked for. */
export function embeddingLikeness(target: () => Engine): Likeness {
  const rows = new Map<number, Float32Array>();
  const row = (token: number): Float32Array => {
    const known = rows.get(token);
    if (known !== undefined) return known;
    const values = target().source.tensor("embed.weight").floats(token, token + 1).slice();
    const length = Math.hypot(...values) || 1;
    for (let i = 0; i < values.length; i++) values[i] /= length;
    if (rows.size >= 4096) rows.clear();
    rows.set(token, values);
    return values;
  };
  return (a, b) => {
    const [left, right] = [row(a), row(b)];
    let sum = 0;
    for (let i = 0; i < left.length; i++) sum += left[i] * right[i];
    return sum;
  };
}

export default definePlugin({
  kind: "rule",
  name: "neighbour",
  summary: "RELAXED: a draft speaks for the tokens near it, within a total variation",
  options: {
    nearest: { type: "integer", default: 8, min: 0, max: 63, summary: "most neighbours of a draft" },
    delta: { type: "number", default: 0.1, min: 0, max: 1, summary: "most probability moved onto a draft" },
  },
  paper: {
    title: "LANTERN: Accelerating Visual Autoregressive Models with Relaxed Speculative Decoding",
    year: 2024,
    arxiv: "2410.03355",
  },
  create: ({ nearest, delta }, _argument, context) =>
    neighbour(Number(nearest), Number(delta), embeddingLikeness(() => context.target)),
});
