// k-seq: k independent drafts, each kept with probability min(1, p/(ρ·q)), for one ρ between 1 and k.
// SpecTr: Fast Speculative Decoding via Optimal Transport (Sun et al., 2023, arXiv 2310.15141), algorithm 3: within
// (1 − 1/e) of the best acceptance that any rule has on independent drafts.
//
// β(ρ) = Σ min(q, p/ρ) is how often one draft is kept and S = 1 − (1 − β)^k how often any is. What is kept is
// distributed as min(q, p/ρ)/β, so the target still owes p − min(q, p/ρ)·S/β, which is never negative where S ≤ ρ·β.
// ρ* is where the two sides are equal; any ρ above it is lossless as well, so the search may stop on that side.
import { type Distribution, mass, normalise, overlap, probability } from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { acceptance, type Step, tokenLevel } from "./walk.ts";

/** S(ρ) − ρ·β(ρ): positive below ρ*, never positive from there on. */
function shortfall(p: Distribution, q: Distribution, k: number, rho: number): number {
  const beta = overlap(q, p, 1 / rho);
  return 1 - (1 - beta) ** k - rho * beta;
}

/** The least ρ in 1…k with S ≤ ρ·β, from above and to about 1e-12: bisection, with a secant guess in each round. */
export function bestRho(p: Distribution, q: Distribution, k: number): number {
  let low = 1;
  let atLow = shortfall(p, q, k, low);
  if (atLow <= 0 || k === 1) return 1;
  let high = k; // S ≤ k·β by the union bound
  let atHigh = shortfall(p, q, k, high);
  for (let round = 0; round < 60 && high - low > 1e-12; round++) {
    const secant = atLow > atHigh ? low + (high - low) * atLow / (atLow - atHigh) : low;
    // Every third round halves, so that a curve on which the secant creeps cannot hold the search up.
    const middle = round % 3 === 2 || !(secant > low && secant < high) ? (low + high) / 2 : secant;
    const at = shortfall(p, q, k, middle);
    if (at > 0) {
      low = middle;
      atLow = at;
    } else {
      high = middle;
      atHigh = at;
      if (at > -1e-13) break;
    }
  }
  return high;
}

/** What is still owed after k refusals. */
function owed(p: Distribution, q: Distribution, k: number, rho: number): Distribution {
  const beta = overlap(q, p, 1 / rho);
  const factor = beta > 0 ? (1 - (1 - beta) ** k) / beta : k;
  const probabilities = p.probabilities.slice();
  for (let i = 0; i < probabilities.length; i++) {
    const value = probabilities[i];
    const other = probability(q, p.tokens === undefined ? i : p.tokens[i]);
    probabilities[i] = Math.max(value - factor * Math.min(other, value / rho), 0);
  }
  const left = { ...p, probabilities };
  // Where nothing is owed (p = q up to rounding) a refusal has probability 0, and p itself is the safe answer.
  return mass(left) > 0 ? normalise(left) : p;
}

/** The ρ found last for a target's row: a proof or a measurement visits the same row very often. */
const known = new WeakMap<Distribution, { q: Distribution; k: number; rho: number }>();

function rhoFor(p: Distribution, q: Distribution, k: number): number {
  const last = known.get(p);
  if (last !== undefined && last.q === q && last.k === k) return last.rho;
  const rho = bestRho(p, q, k);
  known.set(p, { q, k, rho });
  return rho;
}

export const kSeqStep: Step = ({ p, q, drafts }, chance) => {
  const rho = rhoFor(p, q, drafts.length);
  for (const x of drafts) {
    if (chance.flip(acceptance(probability(p, x) / rho, probability(q, x)))) return x;
  }
  return chance.pick(owed(p, q, drafts.length, rho));
};

export const kSeq = tokenLevel("k-seq", ["iid"], kSeqStep);

export default definePlugin({
  kind: "rule",
  name: "k-seq",
  summary: "several independent drafts, each kept with probability min(1, p/(rho q))",
  paper: { title: "SpecTr: Fast Speculative Decoding via Optimal Transport", year: 2023, arxiv: "2310.15141" },
  create: () => kSeq,
});
