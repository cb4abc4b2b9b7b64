// reflective: the target is asked about the draft once more, after a probe, and the two answers are fused. RELAXED: the
// text is not distributed as the target's.
// Think Before You Accept: Semantic Reflective Verification for Faster Speculative Decoding (Wang et al., 2025,
// arXiv 2505.18629): behind the draft stand a short probe prompt and the draft again; the copy's scores say what the
// target thinks of each token when it has seen where the draft leads.
//
// Acceptance: with weight w the target's p becomes f = (1 − w)·p + w·reflected, and the draft is put to f as the rule
// `recursive` puts it to p. Both are made by the same temperature, truncation and penalties, and what the target's own
// sampling excludes stays excluded. The target's own token comes from p: after refusals from what p still owes, as under
// `recursive`. Temperature 0: a draft stands where it is the likeliest of f, of raw soft-maxes; else the likeliest of p.
//
// Known of the paper: two distributions from one forward pass, fused. That f is a weighted mean, its default weight and
// the words of the probe are ours. The probe runs along the draft's line of first children, in a sequence of its own
// beside the target's pass; other branches are judged by p alone. So this costs a second pass where the paper packs both
// into one.
import type { Engine, Scores, Sequence } from "../../src/backend.ts";
import type { Chance } from "../../src/chance.ts";
import {
  argmax,
  type Distribution,
  mass,
  normalise,
  point,
  probability,
  residual,
} from "../../src/math/distribution.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { penalises, type Sampling } from "../../src/sampling.ts";
import { SampledScores } from "../../src/round/sampled-scores.ts";
import { chainTree, DRAFT_LAWS, type DraftTree } from "../../src/tree.ts";
import { walkDown } from "../../src/draft/walk.ts";
import { drawnFrom } from "./recursive.ts";
import { acceptance, childrenOf, type Siblings, walkGreedily } from "./walk.ts";

export const PROBE = "\nOn reflection, the right words are:\n";

/**
 * What the target thinks of the draft after the probe, under `sampling`: by node (−1: the root), a distribution over its
 * children.
 */
export type Reflection = (
  tree: DraftTree,
  text: Int32Array,
  sampling: Sampling,
) => Promise<ReadonlyMap<number, Distribution>>;

/** `weight` of the reflected distribution, 0…1; at 0 it is the rule `recursive`, lossless. */
export function reflective(weight: number, reflect: Reflection): VerificationRule {
  let tree: DraftTree | undefined;
  let reflected: ReadonlyMap<number, Distribution> = new Map();
  return {
    name: "reflective",
    lossless: false,
    laws: DRAFT_LAWS,
    async prepare(draft, text, sampling) {
      tree = draft;
      reflected = weight > 0 && draft.tokens.length > 0 ? await reflect(draft, text, sampling) : new Map();
    },
    verify(draft, scores, chance) {
      const known = draft === tree ? reflected : new Map<number, Distribution>();
      return walkDown(draft, ({ row, drafts, drawn }) => {
        const p = normalise(scores.distribution(row));
        if (drafts.length === 0) return chance.pick(p);
        const from = drawn ?? point(p.vocab, drafts[0]);
        return verifySiblings(
          { p, q: normalise(from), drawn: from, drafts, law: draft.law },
          fuse(p, known.get(row - 1), weight),
          chance,
        );
      });
    },
    verifyGreedily(draft, scores) {
      const known = draft === tree ? reflected : new Map<number, Distribution>();
      return walkGreedily(draft, scores, ({ p, own, drafts, row }) => {
        const fused = known.get(row - 1);
        const best = fused === undefined ? own : argmax(fuse(p, fused, weight));
        return drafts.includes(best) ? best : own;
      });
    },
  };
}

/** The rule `recursive` with drafts put to `fused`, and the target's own token from p. */
function verifySiblings(siblings: Siblings, fused: Distribution, chance: Chance): number {
  let { p } = siblings;
  let put = fused;
  for (const [i, x] of siblings.drafts.entries()) {
    const q = drawnFrom(siblings, i);
    if (q === undefined) break;
    if (chance.flip(acceptance(probability(put, x), probability(q, x)))) return x;
    put = residual(put, q);
    p = residual(p, q);
  }
  return chance.pick(p);
}

/** (1 − weight)·p + weight·other on the tokens of p, renormalised; p where there is no other. */
export function fuse(p: Distribution, other: Distribution | undefined, weight: number): Distribution {
  if (other === undefined || weight === 0) return p;
  const reflected = normalise(other);
  const probabilities = p.probabilities.map((value, i) => {
    const token = p.tokens === undefined ? i : p.tokens[i];
    return value > 0 ? (1 - weight) * value + weight * probability(reflected, token) : 0;
  });
  const fused = { ...p, probabilities };
  return mass(fused) > 0 ? normalise(fused) : p;
}

/** Asks `target` in a sequence of its own. */
export function probing(target: () => Engine, probe: string): Reflection {
  let sequence: Sequence | undefined;
  let cached: number[] = [];
  return async (tree, text, sampling) => {
    const engine = target();
    sequence ??= engine.open();
    const words = engine.source.tokenizer.encode(probe, { special: false });
    // All but the root goes into the cache, as far as it is not there yet.
    let shared = 0;
    while (shared < cached.length && shared < text.length - 1 && cached[shared] === text[shared]) shared++;
    sequence.rewind(shared);
    cached = [...text.subarray(0, text.length - 1)];
    for (let at = shared; at < cached.length;) {
      const tokens = Int32Array.from(cached.slice(at, at + engine.maxRows));
      await sequence.forward({ tokens, score: "last", need: "argmax" });
      sequence.keep(Int32Array.from(tokens.keys()));
      at += tokens.length;
    }
    const line: number[] = [];
    const most = Math.min(engine.maxRows, engine.context - cached.length) - 1 - words.length;
    for (let node = -1; 2 * (line.length + 1) <= most;) {
      const [child] = childrenOf(tree, [node]);
      if (child === undefined) break;
      line.push(node = child);
    }
    const drafted = line.map((node) => tree.tokens[node]);
    if (drafted.length === 0) return new Map();
    const tokens = Int32Array.of(text[text.length - 1], ...drafted, ...words, ...drafted);
    const scores = await sequence.forward({
      tokens,
      temperature: sampling.temperature,
      need: penalises(sampling) ? "logits" : "probabilities",
    });
    // The last row of the probe is followed by the copy's first token, as the root is by the draft's. What was said, and
    // may count for less, is the text and the copy so far; the probe is nobody's words.
    const copies = from(scores, drafted.length + words.length, drafted.length);
    const sampled = new SampledScores(copies, sampling, text, chainTree(drafted));
    return new Map(line.map((_, i): [number, Distribution] => {
      const { vocab, tokens, probabilities } = sampled.distribution(i);
      return [i === 0 ? -1 : line[i - 1], { vocab, tokens: tokens?.slice(), probabilities: probabilities.slice() }];
    }));
  };
}

/** So many rows of `scores`, beginning with row `first`. */
function from(scores: Scores, first: number, rows: number): Scores {
  return {
    rows,
    vocab: scores.vocab,
    argmax: (row) => scores.argmax(first + row),
    top: (row, k) => scores.top(first + row, k),
    probability: (row, token) => scores.probability(first + row, token),
    distribution: (row) => scores.distribution(first + row),
    logits: (row) => scores.logits(first + row),
  };
}

export default definePlugin({
  kind: "rule",
  name: "reflective",
  summary: "RELAXED: ask the target about the draft again after a probe, and put it to both answers fused",
  options: {
    weight: { type: "number", default: 0.3, min: 0, max: 1, summary: "share of the second answer" },
    probe: { type: "string", default: PROBE, summary: "what stands between the draft and its copy" },
  },
  paper: {
    title: "Think Before You Accept: Semantic Reflective Verification for Faster Speculative Decoding",
    year: 2025,
    arxiv: "2505.18629",
  },
  create: ({ weight, probe }, _argument, context) => reflective(weight, probing(() => context.target, probe)),
});
