// The rows of a tree that a model computes while the tree is drawn: only new ones as long as it is a chain. Not a method
// of its own.
import type { Engine, Rows, Sequence, Skip } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { sampledPass, type SampledScores } from "../../src/round/sampled-scores.ts";
import type { Sampling } from "../../src/sampling.ts";

/** A tree as a proposer is asked about it, below the last token of a text. */
export interface Nodes {
  readonly tokens: Int32Array;
  readonly parents: Int32Array;
}

/** The tree so far. The sequence holds the text and the first `kept` nodes, which are a chain. */
export interface RunTree {
  readonly tokens: number[];
  readonly parents: number[];
  kept: number;
}

/** Who computes, and what. */
export interface Run {
  readonly engine: Engine;
  readonly sequence: Sequence;
  readonly text: Int32Array;
  readonly sampling: Sampling;
  readonly skip?: Skip;
  /** True: the hidden states before the head are wanted too. */
  readonly states?: boolean;
}

/** For a pass whose rows' states are wanted. */
export const HEAD: Pick<Rows, "taps"> = { taps: ["head"] };

/** [width] A copy of the state before the head at a row of a pass with HEAD. */
export function stateAt(scores: SampledScores, row: number, width: number): Float32Array {
  return Float32Array.from(scores.states("head").subarray(row * width, (row + 1) * width));
}

/**
 * Adds nodes and returns q for the children of each, with [width] `states` where they are wanted. `from`: the first node that had to be computed. No distributions where
 * the context is full. Throws HunchError where the engine takes no trees and this is one.
 */
export async function runNodes(
  { engine, sequence, text, sampling, skip, states: wanted }: Run,
  tree: RunTree,
  nodes: Nodes,
): Promise<{ readonly distributions: Distribution[]; readonly states: Float32Array[]; readonly from: number }> {
  // Rows before `from` are in the cache and above every row that has to run.
  const first = tree.tokens.length;
  const from = Math.min(tree.kept, ...nodes.parents.map((parent) => parent + 1));
  tree.tokens.push(...nodes.tokens);
  tree.parents.push(...nodes.parents);
  if (text.length + tree.tokens.length > engine.context) return { distributions: [], states: [], from };
  const chain = tree.parents.every((parent, node) => parent === node - 1);
  if (!chain && !engine.can.tree) {
    throw new HunchError("unavailable", `${engine.name} cannot run a draft model along trees`, {
      file: engine.source.path,
      hint: "use the shape chain, or another backend",
    });
  }
  if (sequence.length > text.length + from) sequence.rewind(text.length + from);
  tree.kept = from;
  const drawn = { tokens: Int32Array.from(tree.tokens), parents: Int32Array.from(tree.parents) };
  const tokens = drawn.tokens.slice(from);
  const parents = chain ? undefined : drawn.parents.slice(from).map((parent) => parent - from);
  const scores = await sampledPass(sequence, { tokens, parents, skip, ...wanted && HEAD }, sampling, text, drawn, {
    first: from,
  });
  const distributions = Array.from(nodes.tokens, (_, i) => scores.distribution(first + i - from));
  const states = wanted ? distributions.map((_, i) => stateAt(scores, first + i - from, engine.source.spec.width)) : [];
  if (chain) {
    sequence.keep(Int32Array.from(tokens, (_, row) => row));
    tree.kept = tree.tokens.length;
  }
  return { distributions, states, from };
}
