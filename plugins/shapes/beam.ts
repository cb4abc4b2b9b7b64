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
import { forEach, sparse } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
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
  const drawn: number[][] = []; // tokens below each parent that has appeared
  while (added.length < width) {
    const left = drawn.map((tokens, i) => growing.value(parents[i]) * remainder(growing, parents[i], tokens));
    const appeared = parents.slice(0, drawn.length).reduce((sum, parent) => sum + growing.value(parent), 0);
    if (drawn.length < parents.length) left.push(drawn.length === 0 ? 1 : Math.max(0, 1 - appeared));
    const total = left.reduce((sum, value) => sum + value, 0);
    if (!(total > 0)) {
      if (drawn.length === parents.length) break; // every sequence was drawn
      left[drawn.length] = 1; // the mass of the parents that follow was lost to rounding
    }
    const i = chance.pick(sparse(left.length, left.map((_, i) => i), left));
    if (i === drawn.length) drawn.push([]);
    const node = growing.add(parents[i], chance.pick(growing.rest(parents[i], drawn[i])!));
    drawn[i].push(growing.tokens[node]);
    added.push(node);
  }
  return added;
}

/** What is left of q of a node without some tokens, 0…1; exactly 0 where none is. */
function remainder(growing: Growing, node: number, tokens: readonly number[]): number {
  let left = 0;
  forEach(growing.q(node)!, (token, probability) => left += tokens.includes(token) ? 0 : probability);
  return left;
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
  create: ({ width }) => beam(Number(width)),
});
