// importance: choose one of several independent drafts so that the choice is likely to stand, then a single-draft step.
// Multi-Draft Speculative Sampling: Canonical Decomposition and Theoretical Limits (Khisti et al., 2024,
// arXiv 2410.18234): every optimal rule has this form (theorem 1), and for two drafts from one q the best acceptance is
// min over token sets H of p(H) + 1 − q(H)² (theorem 3). The paper finds the choice by a linear programme; this file
// finds it in closed form for two drafts, and by a weighted scheme for more.
//
// Order the tokens by p/q ascending, with running sums C of q and P of p, and let G = C^n: how often all n drafts fall
// among the first ones. Break that order at random, independently at each boundary i with probability 1 − κ_i. Of the
// drafts, take the eldest of those in the highest interval between breaks: in which order they came says nothing about
// which they are, so any of them would do, but most hangs below the eldest. Without breaks the choice is distributed as
// q; with all of them, the draft of greatest p/q always wins. Between the two, with S_i = P(choice is among the first i),
//   S_i − G_i = κ_i · E[(C_i − a)(b − C_i)·h(a, C_i, b)],
// where a and b are the nearest breaks on both sides of i, and h is the complete homogeneous polynomial of degree n − 2.
//
// 1. What S should be: the convex S ≥ G nearest to P. With E = max(G − P, 0) made to rise up to its maximum and to fall
//    after it, S = P + E; a single-draft step then refuses with probability max E, which is the optimum.
// 2. Which κ gives it. For n = 2, h = 1 and the expectation is a product X·Y of two means, and neighbouring
//    boundaries give a quadratic for each token. Convexity of S makes 0 ≤ κ ≤ 1. For n > 2 the product is summed over
//    powers, and sweeps of κ_i ← (S_i − G_i)/E_i approach it.
// 3. The distribution that the κ found do give, by the same sums, is the q of the single-draft step. So the rule is
//    lossless for any κ; only how much it accepts depends on the search.
import type { Chance } from "../../src/chance.ts";
import { ascending } from "../../src/math/ascending.ts";
import { type Distribution, forEach, probability, residual } from "../../src/math/distribution.ts";
import { coarse, fine } from "../../src/math/sum.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { tokenStep } from "./token.ts";
import { acceptance, type Step, tokenLevel } from "./walk.ts";

/** How one of `n` drafts from q is chosen. A rank is a place among the tokens of q, ascending by p/q. */
export interface Choice {
  /** [vocab] Rank by token; −1 for tokens that q never draws. */
  readonly rank: Int32Array;
  /** [ranks + 1] κ_i: probability that there is no break below rank i; 0 at both ends. */
  readonly whole: Float64Array;
  /** The distribution of the chosen draft. */
  readonly chosen: Distribution;
}

/** Sweeps of the search for more than two drafts. The bound is then missed by 0.001 on average. */
const SWEEPS = 12;

export function planChoice(p: Distribution, q: Distribution, n: number): Choice {
  const tokens = new Int32Array(q.probabilities.length);
  const ratios = new Float64Array(q.probabilities.length);
  let drawn = 0;
  forEach(q, (token, value) => {
    tokens[drawn] = token;
    ratios[drawn++] = probability(p, token) / value; // may be Infinity, which sorts as well
  });
  const order = ascending(ratios.subarray(0, drawn));
  const size = drawn;
  const rank = new Int32Array(q.vocab).fill(-1);
  const weights = new Float64Array(size);
  const needs = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const token = tokens[order[i]];
    rank[token] = i;
    weights[i] = probability(q, token);
    needs[i] = probability(p, token);
  }
  const { sums, excess } = wanted(weights, needs, n);
  const whole = n === 2 ? solveTwo(weights, excess) : n === 1 ? excess : solveMore(weights, sums, excess, n);
  const byRank = chosenDistribution(weights, sums, whole, n);
  const probabilities = new Float64Array(q.vocab);
  for (let i = 0; i < size; i++) probabilities[tokens[order[i]]] = byRank[i];
  return { rank, whole, chosen: { vocab: q.vocab, probabilities } };
}

/** Step 1: C and S − G at each boundary 0 … size. */
function wanted(weights: Float64Array, needs: Float64Array, n: number) {
  const size = weights.length;
  const sums = new Float64Array(size + 1);
  const below = new Float64Array(size + 1); // P
  running(weights, sums);
  running(needs, below);
  sums[size] = 1; // P may end below 1: what p has outside the support of q can never be chosen
  const all = powers(sums, n); // G
  const lift = new Float64Array(size + 1); // E
  let top = 0;
  for (let i = 0; i <= size; i++) {
    lift[i] = Math.max(0, all[i] - below[i]);
    if (lift[i] > lift[top]) top = i;
  }
  for (let i = 1; i < top; i++) lift[i] = Math.max(lift[i], lift[i - 1]);
  for (let i = size - 1; i > top; i--) lift[i] = Math.max(lift[i], lift[i + 1]);
  const excess = new Float64Array(size + 1);
  for (let i = 1; i < size; i++) excess[i] = Math.max(0, below[i] + lift[i] - all[i]);
  return { sums, excess };
}

/** Running sums into `out`, one longer and 0 at first; exact but for one rounding each: over a vocabulary others go astray. */
function running(values: Float64Array, out: Float64Array): void {
  let large = 0, small = 0;
  for (let i = 0; i < values.length; i++) {
    const part = coarse(values[i]);
    large += part;
    small += fine(values[i], part);
    out[i + 1] = large + small;
  }
}

/** values^n, by loops: for whole vocabularies a call for every value would cost more than the sort. */
function powers(values: Float64Array, n: number): Float64Array {
  const out = new Float64Array(values.length).fill(1);
  for (let k = 0; k < n; k++) for (let i = 0; i < out.length; i++) out[i] *= values[i];
  return out;
}

/**
 * Step 2 for two drafts. With X_i the mean mass between boundary i and the nearest break below it, and Y_i above it:
 *   X_{i+1} = q_i + κ_i·X_i,   Y_i = q_i + κ_{i+1}·Y_{i+1},   D_i = κ_i·X_i·Y_i
 * give Y_i − X_{i+1} = (D_{i+1} − D_i)/q_i = δ and D_i = (X_{i+1} − q_i)·Y_i, so Y_i solves Y² − (δ + q_i)·Y = D_i.
 */
function solveTwo(weights: Float64Array, excess: Float64Array): Float64Array {
  const size = weights.length;
  const above = new Float64Array(size + 1); // Y
  const below = new Float64Array(size + 1); // X
  for (let i = 0; i < size; i++) {
    const delta = (excess[i + 1] - excess[i]) / weights[i];
    const half = (delta + weights[i]) / 2;
    const root = Math.sqrt(half * half + excess[i]);
    // The form without cancellation on either side of 0.
    above[i] = half >= 0 ? half + root : excess[i] / (root - half);
    below[i + 1] = above[i] - delta;
  }
  const whole = new Float64Array(size + 1);
  for (let i = 1; i < size; i++) whole[i] = clamp(excess[i] / (below[i] * above[i]));
  return whole;
}

const clamp = (value: number) => value >= 0 ? Math.min(value, 1) : 0; // NaN, from 0/0 where nothing is drafted, is 0

/**
 * Moments of the nearest breaks. below[m][i] = E[a^m], a the mass below the nearest break at or below boundary i;
 * above[m][i] = E[b^m], b that below the nearest break at or above it. Both see boundary i itself as unbroken.
 */
function moments(sums: Float64Array, whole: Float64Array, degree: number) {
  const size = sums.length - 1;
  const below = Array.from({ length: degree + 1 }, () => new Float64Array(size + 1));
  const above = Array.from({ length: degree + 1 }, () => new Float64Array(size + 1));
  for (let m = 0; m <= degree; m++) {
    const power = powers(sums, m);
    below[m][0] = power[0];
    for (let i = 1; i <= size; i++) below[m][i] = (1 - whole[i - 1]) * power[i - 1] + whole[i - 1] * below[m][i - 1];
    above[m][size] = power[size];
    for (let i = size - 1; i >= 0; i--) {
      above[m][i] = (1 - whole[i + 1]) * power[i + 1] + whole[i + 1] * above[m][i + 1];
    }
  }
  return { below, above };
}

/**
 * Step 2 for more drafts: κ_i ← (S_i − G_i)/E_i, boundary by boundary upwards and downwards again, with
 * E_i = Σ E[(C_i − a)·a^m]·C_i^l·E[(b − C_i)·b^k] over m + l + k = n − 2.
 */
function solveMore(weights: Float64Array, sums: Float64Array, excess: Float64Array, n: number): Float64Array {
  const size = weights.length;
  const whole = excess.map((value) => clamp(Math.sqrt(value)));
  const make = () => Array.from({ length: n - 1 }, () => new Float64Array(size + 1));
  const [below, left, above, right] = [make(), make(), make(), make()]; // E[a^m], E[(C − a)·a^m], E[b^k], E[(b − C)·b^k]
  const fromBelow = (i: number) => {
    for (let m = 0; m < n - 1; m++) {
      below[m][i] = (1 - whole[i - 1]) * sums[i - 1] ** m + whole[i - 1] * below[m][i - 1];
      left[m][i] = weights[i - 1] * below[m][i] + whole[i - 1] * left[m][i - 1];
    }
  };
  const fromAbove = (i: number) => {
    for (let k = 0; k < n - 1; k++) {
      above[k][i] = (1 - whole[i + 1]) * sums[i + 1] ** k + whole[i + 1] * above[k][i + 1];
      right[k][i] = weights[i] * above[k][i] + whole[i + 1] * right[k][i + 1];
    }
  };
  const update = (i: number) => {
    let mean = 0;
    for (let m = 0; m <= n - 2; m++) {
      for (let k = 0; m + k <= n - 2; k++) mean += left[m][i] * right[k][i] * sums[i] ** (n - 2 - m - k);
    }
    whole[i] = clamp(excess[i] / mean);
  };
  for (let i = size - 1; i > 0; i--) fromAbove(i);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 1; i < size; i++) {
      fromBelow(i);
      update(i);
    }
    for (let i = size - 1; i > 0; i--) {
      fromAbove(i);
      update(i);
    }
  }
  return whole;
}

/**
 * Step 3. An interval from a to b wins with probability b^n − a^n, and its tokens share that in proportion to q:
 * q_i·E[(b^n − a^n)/(b − a)] = q_i·Σ E[a^m]·E[b^(n−1−m)].
 */
function chosenDistribution(weights: Float64Array, sums: Float64Array, whole: Float64Array, n: number): Float64Array {
  const size = weights.length;
  const chosen = new Float64Array(size);
  const { below, above } = moments(sums, whole, n - 1);
  for (let m = 0; m < n; m++) {
    const [power, other] = [powers(sums, m), powers(sums, n - 1 - m)];
    const [a, b] = [below[m], above[n - 1 - m]];
    for (let i = 0; i < size; i++) { // rank i lies between boundaries i and i + 1, each of which may itself be broken
      const lower = (1 - whole[i]) * power[i] + whole[i] * a[i];
      const upper = (1 - whole[i + 1]) * other[i + 1] + whole[i + 1] * b[i + 1];
      chosen[i] += weights[i] * lower * upper;
    }
  }
  return chosen;
}

/**
 * Draws the breaks that matter and takes the eldest draft of the highest interval. From the highest draft downwards,
 * each next one is in the same interval with the probability that no boundary between them is broken.
 */
export function choose({ rank, whole }: Choice, drafts: readonly number[], chance: Chance): number {
  const ranks = drafts.map((token) => rank[token]).sort((a, b) => b - a);
  let lowest = ranks[0];
  for (const next of ranks.slice(1)) {
    let unbroken = 1;
    for (let i = next + 1; i <= lowest; i++) unbroken *= whole[i];
    if (!chance.flip(unbroken)) break;
    lowest = next;
  }
  return drafts.find((token) => rank[token] >= lowest)!;
}

/** The plan made last for a target's row: a proof or a measurement visits the same row very often. */
const known = new WeakMap<Distribution, { q: Distribution; n: number; plan: Choice }>();

function planFor(p: Distribution, q: Distribution, n: number): Choice {
  const last = known.get(p);
  if (last !== undefined && last.q === q && last.n === n) return last.plan;
  const plan = planChoice(p, q, n);
  known.set(p, { q, n, plan });
  return plan;
}

export const importanceStep: Step = (siblings, chance) => {
  const { p, q, drafts } = siblings;
  if (drafts.length === 1) return tokenStep(siblings, chance); // nothing to choose
  const plan = planFor(p, q, drafts.length);
  const x = choose(plan, drafts, chance);
  if (chance.flip(acceptance(probability(p, x), probability(plan.chosen, x)))) return x;
  return chance.pick(residual(p, plan.chosen));
};

export const importance = tokenLevel("importance", ["iid"], importanceStep);

export default definePlugin({
  kind: "rule",
  name: "importance",
  summary: "choose the draft most likely to stand, then one step; the most that one place allows for two drafts",
  paper: {
    title: "Multi-Draft Speculative Sampling: Canonical Decomposition and Theoretical Limits",
    year: 2024,
    arxiv: "2410.18234",
  },
  create: () => importance,
});
