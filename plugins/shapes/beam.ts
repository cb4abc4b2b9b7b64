// beam: sequences drawn without replacement, the same number at every depth; what is unlikely is dropped early.
// Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement (Jeon et al., 2024,
// arXiv 2402.14160), RSD-S; stochastic beam search is from Stochastic Beams and Where to Find Them: The Gumbel-Top-k
// Trick for Sampling Sequences Without Replacement (Kool et al., 2019, arXiv 1903.06059).
//
// The papers give every sequence a Gumbel number and keep the prefixes of the largest. The same is told here without
// numbers. Let whole sequences be drawn without replacement, one after the other; a level keeps its first `width`
// prefixes in the order in which they appear. Given the order u1, u2, … of the level above, the first one of this level
// is below u1; after that, each next one is below a parent that has appeared, in proportion to what is left of that
// parent, or, in proportion to what never appeared, it is the first below the next parent.
//
// How many children a node has depends on what was drawn (law `beam`), but each next sibling is a draw from q without
// its elders, whatever the numbers are: that is all that `recursive` needs.
import type { Chance } from "../../src/chance.ts";
import { probability } from "../../src/math/distribution.ts";
import { LIKELIEST } from "../../src/draft/proposed.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { TreeShape } from "../../src/shape.ts";
import { Growing } from "./growing.ts";

export function beam(width: number): TreeShape {
  return {
    name: "beam",
    law: "beam",
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      let level = [-1];
      for (let depth = 0; depth < plan.depth && level.length > 0 && growing.room > 0; depth++) {
        await growing.ask(level);
        const parents = level.filter((node) => growing.q(node) !== undefined);
        level = nextLevel(growing, parents, Math.min(width, growing.room), chance);
      }
      return growing.tree("beam");
    },
  };
}

/** Adds up to `width` nodes below `parents`, which stand in the order in which they appeared, and returns them. */
function nextLevel(growing: Growing, parents: readonly number[], width: number, chance: Chance): number[] {
  const added: number[] = [];
  let appeared = 0; // parents with children, the first so many
  while (added.length < width) {
    const i = chance === LIKELIEST ? likeliestParent(growing, parents) : nextParent(growing, parents, appeared, chance);
    if (i === undefined) break; // every sequence was drawn
    appeared = Math.max(appeared, i + 1);
    added.push(growing.addAnother(parents[i], chance)!);
  }
  return added;
}

/** Where the next sequence that is new to this level is below: a parent that has appeared, or the one after those. */
function nextParent(
  growing: Growing,
  parents: readonly number[],
  appeared: number,
  chance: Chance,
): number | undefined {
  const left = parents.slice(0, appeared).map((parent) => growing.value(parent) * growing.left(parent));
  if (appeared < parents.length) {
    const seen = parents.slice(0, appeared).reduce((sum, parent) => sum + growing.value(parent), 0);
    left.push(Math.max(0, 1 - seen));
  }
  if (!left.some((value) => value > 0)) {
    if (appeared === parents.length) return undefined;
    left[appeared] = 1; // what the parents that follow have was lost to rounding
  }
  return chance.pick({ vocab: left.length, probabilities: Float64Array.from(left) });
}

/** As the temperature falls to 0: where the likeliest sequence is that is left. Plain beam search. */
function likeliestParent(growing: Growing, parents: readonly number[]): number | undefined {
  let best: number | undefined;
  let most = 0;
  parents.forEach((parent, i) => {
    const token = growing.likeliest(parent);
    const value = token === undefined ? 0 : growing.value(parent) * probability(growing.q(parent)!, token);
    if (value > most) {
      most = value;
      best = i;
    }
  });
  return best;
}

export default definePlugin({
  kind: "shape",
  name: "beam",
  summary: "sequences drawn without replacement (stochastic beam search)",
  paper: {
    title: "Recursive Speculative Decoding: Accelerating LLM Inference via Sampling Without Replacement",
    year: 2024,
    arxiv: "2402.14160",
  },
  options: { width: { type: "integer", default: 3, min: 1, max: 256, summary: "sequences kept at every depth" } },
  create: ({ width }) => beam(width),
});
