// clasp: the layers that the target leaves out of its drafts are those whose loss moves the last hidden state least, found
// anew as the text goes on, by dynamic programming.
// CLaSp: In-Context Layer Skip for Self-Speculative Decoding (Chen et al., 2025, arXiv 2505.24196).
//
// As there: g(i, j) is the state after i layers of which j were left out, the nearer by cosine to the whole model's state
// after i layers of two: g(i − 1, j − 1) as it is, or layer i of g(i − 1, j). Layer i runs on its states for all j at once,
// rows beside each other at the place of the last token that was verified. What led to g(layers, skipped) is left out.
//
// The states of the last verified token are those of its verification to the last bit, but computed once more: to keep them
// of every round would cost every round. As in the paper the layers are not found anew after each verification, which costs
// more than it finds, but after `every` tokens. Nothing else is left out. A pass of this engine ends in the head, needed or
// not, so finding layers is dear where the vocabulary is large.
import type { Engine, Sequence, Skip, Tap } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import { cosine } from "../../src/math/cosine.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { asEmbeddings, lookBack } from "./look-back.ts";
import { refuseWithout, SelfProposer } from "./self.ts";
import { drafterOf } from "./with-shape.ts";

type State = ArrayLike<number>;

/**
 * The layers to leave out, `skipped` of them, ascending. `states`: [layers + 1] the whole model's, before the first layer
 * and after each. `run`: what layer `i` makes of states that stand before it.
 */
export async function leastNeeded(
  states: readonly State[],
  skipped: number,
  run: (layer: number, before: readonly State[]) => Promise<readonly State[]>,
): Promise<number[]> {
  const layers = states.length - 1;
  /** [left out so far] States after the layers so far, and what was left out of them. */
  let best: { readonly state: State; readonly out: readonly number[] }[] = [{ state: states[0], out: [] }];
  for (let layer = 0; layer < layers; layer++) {
    const whole = states[layer + 1];
    // Nothing left out is the whole model; all left out is the first state. Between them it is a choice.
    const rest = best.slice(1);
    const after = rest.length > 0 ? await run(layer, rest.map(({ state }) => state)) : [];
    const next = [{ state: whole, out: [] as readonly number[] }];
    for (let count = 1; count <= Math.min(layer + 1, skipped); count++) {
      const without = { state: best[count - 1].state, out: [...best[count - 1].out, layer] };
      const kept = after[count - 1];
      const keeps = kept !== undefined && cosine(kept, whole) > cosine(without.state, whole);
      next.push(keeps ? { state: kept, out: best[count].out } : without);
    }
    best = next;
  }
  return [...best[Math.min(skipped, best.length - 1)].out];
}

/** Finds the layers for the last token that was verified. The sequence holds `text` but its last token, the root. */
async function findLayers(engine: Engine, target: Sequence, text: Int32Array, skipped: number): Promise<number[]> {
  const { layers, width } = engine.source.spec;
  const rowsOf = (all: State) =>
    Array.from(
      { length: all.length / width },
      (_, row) => Float64Array.from({ length: width }, (_, i) => all[row * width + i]),
    );
  return await lookBack(target, text, 1, async (tokens) => {
    const taps: readonly Tap[] = Array.from({ length: layers.length + 1 }, (_, layer) => layer);
    const scores = await target.forward({ tokens, taps, score: "last", need: "argmax" });
    const states = taps.map((tap) => rowsOf(scores.states!(tap))[0]);
    return await leastNeeded(states, skipped, async (layer, before) => {
      const others = layers.map((_, other) => other).filter((other) => other !== layer);
      const scores = await target.forward({
        tokens: new Int32Array(before.length).fill(tokens[0]),
        parents: new Int32Array(before.length).fill(-1),
        embeddings: asEmbeddings(engine, before.flatMap((state) => Array.from(state)), target.length),
        skip: { attention: others, feedForward: others },
        taps: [layer + 1],
        score: "last",
        need: "argmax",
      });
      return rowsOf(scores.states!(layer + 1));
    });
  });
}

export const claspProposer = definePlugin({
  kind: "proposer",
  name: "clasp",
  summary: "the target without the layers that the last hidden state needs least, found as the text goes on",
  paper: { title: "CLaSp: In-Context Layer Skip for Self-Speculative Decoding", year: 2025, arxiv: "2505.24196" },
  options: {
    skipped: { type: "integer", default: 0, min: 0, max: 1000, summary: "layers that are left out; 0: half of them" },
    every: { type: "integer", default: 64, min: 1, max: 4096, summary: "tokens after which the layers are found anew" },
  },
  create({ skipped, every }, _, { target: engine }) {
    for (const ability of ["skip", "taps", "embeddings", "tree"] as const) refuseWithout(engine, ability, "clasp");
    const layers = engine.source.spec.layers.length;
    if (skipped > layers) {
      throw new HunchError("usage", `${skipped} layers cannot be left out of ${layers}`, {
        file: engine.source.path,
        hint: `give clasp?skipped at most ${layers}`,
      });
    }
    const count = skipped === 0 ? layers >> 1 : skipped;
    let skip: Skip = { attention: [], feedForward: [] };
    /** What the layers were found for. */
    let found: Int32Array | undefined;
    return new SelfProposer("clasp", engine, async (text, target) => {
      const grown = found?.every((token, i) => token === text[i]) ? text.length - found.length : Infinity; // another text
      if (target.length > 0 && grown >= every) {
        const out = await findLayers(engine, target, text, count);
        skip = { attention: out, feedForward: out };
        found = text.slice();
      }
      return skip;
    });
  },
});

export default drafterOf(claspProposer);
