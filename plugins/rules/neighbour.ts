// neighbour: a draft may speak for the tokens near it. RELAXED: the text is not distributed as the target's.
// LANTERN: Accelerating Visual Autoregressive Models with Relaxed Speculative Decoding (Jang et al., 2024,
// arXiv 2410.03355), equations 3 to 5: for a draft x, A(x) is grown from its k nearest tokens, nearest first, while the
// probability moved, p(A(x) without x), stays within δ. Then p' has all of p(A(x)) on x and nothing on the others of
// A(x), so the total variation from p is at most δ, and an ordinary step is taken with p' in place of p.
//
// δ bounds each draft's own p', not what is said: every draft has another p', each leaning to the draft itself. What is
// said can be as far from p as with no bound at all (0.98 was seen at δ = 0.163), for a drafter that mostly proposes what
// has likely neighbours. `hunch check neighbour --chi-square` prints how far it is on a text.
//
// Temperature 0, as the authors' program has it: p is the raw soft-max, and x stands where p'(x) is greater than every
// p(y); the longest path of such drafts is kept, of equally long ones the likeliest, then comes the likeliest token.
//
// Near is by cosine of the target's input embeddings, where the paper's images have a codebook; looked for among the 64
// tokens that the target finds likeliest: others have no probability worth moving. The authors' trees are of the
// likeliest drafts, so that their program takes q = 1 for each; here q is what the draft was drawn from, as in equation 5.
import type { Engine } from "../../src/backend.ts";
import { type Distribution, normalise, probability, residual, top } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { longestStanding } from "../../src/draft/walk.ts";
import { drawnFrom } from "./recursive.ts";
import { acceptance, pathTo, type Step, tokenLevel } from "./walk.ts";
import { DRAFT_LAWS } from "../../src/tree.ts";

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
  const sampled: Step = (siblings, chance) => {
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
  };
  return {
    ...tokenLevel("neighbour", DRAFT_LAWS, sampled, false),
    verifyGreedily(tree, scores) {
      const end = longestStanding(tree, (row, drafts) => {
        const p = normalise(scores.distribution(row));
        const own = scores.argmax(row);
        return drafts.map((x) => {
          const raised = x === own ? Infinity : probability(gather(p, x, nearest, delta, alike), x);
          return raised > probability(p, own) ? probability(p, x) : 0;
        });
      });
      return { path: pathTo(tree, end), next: scores.argmax(end + 1) };
    },
  };
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
  summary: "RELAXED: a draft speaks for the tokens near it in the embedding",
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
    neighbour(nearest, delta, embeddingLikeness(() => context.target)),
});
