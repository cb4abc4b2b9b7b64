// Rules and distributions at the default model's vocabulary, on a draft of 16 nodes.
import { greedy } from "../../../plugins/rules/greedy.ts";
import { token } from "../../../plugins/rules/token.ts";
import { childrenOf } from "../../../plugins/rules/walk.ts";
import type { Scores } from "../../../src/backend.ts";
import { SeededChance } from "../../../src/chance.ts";
import { dense, type Distribution, residual, sparse, top } from "../../../src/math/distribution.ts";
import type { DraftTree } from "../../../src/tree.ts";

const VOCAB = 49152;
const NODES = 16;

export function rules(): Record<string, () => unknown> {
  const chance = new SeededChance(1);
  const p = skewed(1), q = skewed(2);
  const fewP = truncated(p, 40), fewQ = truncated(q, 40);
  const chain = draft(fewQ, (node) => node - 1);
  const tree = draft(fewQ, (node) => (node >> 1) - 1);
  return {
    "top 64 of a vocabulary": () => top(p, 64),
    "residual, whole vocabulary": () => residual(p, q),
    "residual, 40 tokens each": () => residual(fewP, fewQ),
    [`children of every node of a tree of ${NODES}`]: () => {
      for (let node = -1; node < NODES; node++) childrenOf(tree, [node]);
    },
    [`greedy, chain of ${NODES}`]: () => greedy.verify(chain, scores(fewP), chance),
    [`token, chain of ${NODES}, 40 tokens each`]: () => token.verify(chain, scores(fewP), chance),
    [`token, chain of ${NODES}, whole vocabulary`]: () => token.verify(draftOf(q, chain), scores(p), chance),
  };
}

/** Probabilities falling off as language's do, in an order that depends on `seed`. */
function skewed(seed: number): Distribution {
  const weights = Float64Array.from({ length: VOCAB }, (_, t) => 1 / (1 + (t * 40503 + seed * 7919) % VOCAB) ** 1.1);
  const sum = weights.reduce((a, b) => a + b, 0);
  return dense(weights.map((w) => w / sum));
}

function truncated(d: Distribution, k: number): Distribution {
  const tokens = top(d, k);
  const kept = tokens.map((t) => d.probabilities[t]);
  const sum = kept.reduce((a, b) => a + b, 0);
  return sparse(VOCAB, tokens, kept.map((w) => w / sum));
}

function draft(q: Distribution, parent: (node: number) => number): DraftTree {
  const tokens = Int32Array.from({ length: NODES }, () => q.tokens![0]);
  return { tokens, parents: Int32Array.from({ length: NODES }, (_, i) => parent(i)), law: "iid", q: () => q };
}

const draftOf = (q: Distribution, { tokens, parents, law }: DraftTree): DraftTree => ({
  tokens,
  parents,
  law,
  q: () => q,
});

/** Every row the same, and every draft its likeliest token: the whole draft is walked. */
function scores(p: Distribution): Scores {
  const tokens = Int32Array.from(top(p, 2));
  return {
    rows: NODES + 1,
    vocab: VOCAB,
    argmax: () => tokens[0],
    top: () => ({ tokens, probabilities: new Float32Array([0.5, 0.1]) }),
    probability: (_row, t) => p.tokens ? p.probabilities[p.tokens.indexOf(t)] ?? 0 : p.probabilities[t],
    distribution: () => p,
    logits: () => p.probabilities,
  };
}
