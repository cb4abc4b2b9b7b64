// spechub: two drafts through a hub, the likeliest token a of q.
// SpecHub: Provable Acceleration to Multi-Draft Speculative Decoding (Sun et al., 2024, arXiv 2411.05289), section 3.
//
// The paper draws ordered pairs: (x, a) with probability q(x), and (a, x) with q(a)·q(x)/(1 − q(a)), for x ≠ a. As a
// set that is the hub and one draw from the rest of q, which is the law `top-and-one` with two drafts. The tree does
// not say which of the two orders a pair has, so the order is drawn here. Then, as in the paper:
//   1. from (x, a): keep x as far as p(x) reaches, min(p(x), q(x));
//   2. from (a, x): keep x as far as p(x) still reaches;
//   3. everything left over has the hub in it: keep the hub as far as p(a) reaches;
//   4. what is left then is drawn from what the target still owes.
// Keeps p(a) + Σ min(p, q_rest), the optimum for this law.
import {
  type Distribution,
  mass,
  normalise,
  overlap,
  probability,
  residual,
  without,
} from "../../src/math/distribution.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { tokenStep } from "./token.ts";
import { acceptance, type Siblings, type Step, tokenLevel } from "./walk.ts";

const MOST = 2;

export const specHubStep: Step = (siblings, chance) => {
  if (siblings.drafts.length > MOST) {
    throw new HunchError(
      "usage",
      `the rule spechub judges ${MOST} drafts per place, this draft has ${siblings.drafts.length}`,
      { hint: "draft two, or use the rule top-and-one" },
    );
  }
  if (siblings.drafts.length < MOST) return tokenStep(siblings, chance);
  const { p, q, drawn, drafts: [hub, x] } = siblings;
  const rest = without(drawn, [hub]);
  if (rest === undefined) return chance.pick(p);
  const throughHub = probability(q, hub); // of all pairs with this x, the share that is ordered (a, x)
  const needed = probability(p, x);
  const drawnFirst = probability(q, x);
  const keep = chance.flip(throughHub)
    ? acceptance(Math.max(needed - drawnFirst, 0), throughHub * probability(rest, x))
    : acceptance(needed, drawnFirst);
  if (chance.flip(keep)) return x;
  // Step 3: the mass left over is what the rest of q offers beyond p.
  const leftOver = 1 - overlap(p, rest);
  if (chance.flip(acceptance(probability(p, hub), leftOver))) return hub;
  return chance.pick(owed({ ...siblings, q: rest }, hub));
};

/** norm(max(p − q_rest, 0)) without the hub, which had its whole share in step 3. */
function owed({ p, q }: Siblings, hub: number): Distribution {
  const left = without(residual(p, q), [hub]);
  return left !== undefined && mass(left) > 0 ? normalise(left) : p;
}

export const specHub = { ...tokenLevel("spechub", ["top-and-one"], specHubStep), maxSiblings: MOST };

export default definePlugin({
  kind: "rule",
  name: "spechub",
  summary: "two drafts, one of them the likeliest token, by a sparse transport through that token",
  paper: {
    title: "SpecHub: Provable Acceleration to Multi-Draft Speculative Decoding",
    year: 2024,
    arxiv: "2411.05289",
  },
  create: () => specHub,
});
