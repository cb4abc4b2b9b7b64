// reflective: the target is asked about the draft once more, after a probe, and the two answers are fused. RELAXED: the
// text is not distributed as the target's.
// Think Before You Accept: Semantic Reflective Verification for Faster Speculative Decoding (Wang et al., 2025,
// arXiv 2505.18629): behind the draft stand a short probe prompt and the draft again; the copy's scores say what the
// target thinks of each token when it has seen where the draft leads.
//
// With weight w the target's p becomes (1 − w)·p + w·reflected, and the rule `recursive` goes on from there. The probe
// runs along the draft's line of first children, in a sequence of its own beside the target's pass; other branches are
// judged by p alone. So this costs a second pass where the paper packs both into one.
import type { Engine, Sequence } from "../../src/backend.ts";
import { type Distribution, normalise } from "../../src/distribution.ts";
import { definePlugin } from "../../src/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { type DraftTree } from "../../src/tree.ts";
import { recursiveStep } from "./recursive.ts";
import { childrenOf, walk } from "./walk.ts";

export const PROBE = "\nOn reflection, the right words are:\n";

/** What the target thinks of the draft after the probe: by node (−1: the root), a distribution over its children. */
export type Reflection = (tree: DraftTree, text: Int32Array) => Promise<ReadonlyMap<number, Distribution>>;

/** `weight` of the reflected distribution, 0…1; at 0 it is the rule `recursive`, lossless. */
export function reflective(weight: number, reflect: Reflection): VerificationRule {
  let tree: DraftTree | undefined;
  let reflected: ReadonlyMap<number, Distribution> = new Map();
  return {
    name: "reflective",
    lossless: false,
    laws: ["point", "iid", "distinct", "top-and-one", "beam"],
    async prepare(draft, text) {
      tree = draft;
      reflected = weight > 0 && draft.tokens.length > 0 ? await reflect(draft, text) : new Map();
    },
    verify(draft, scores, chance) {
      const known = draft === tree ? reflected : new Map<number, Distribution>();
      const fused = { distribution: (row: number) => fuse(scores.distribution(row), known.get(row - 1), weight) };
      return walk(draft, fused, chance, recursiveStep);
    },
  };
}

/** (1 − weight)·p + weight·other; p where there is no other. */
export function fuse(p: Distribution, other: Distribution | undefined, weight: number): Distribution {
  if (other === undefined || weight === 0) return p;
  const values = new Float64Array(p.vocab);
  for (const [d, share] of [[normalise(p), 1 - weight], [normalise(other), weight]] as const) {
    for (let i = 0; i < d.probabilities.length; i++) {
      values[d.tokens === undefined ? i : d.tokens[i]] += share * d.probabilities[i];
    }
  }
  return { vocab: p.vocab, probabilities: values };
}

/** Asks `target` in a sequence of its own. */
export function probing(target: () => Engine, probe: string): Reflection {
  let sequence: Sequence | undefined;
  let cached: number[] = [];
  return async (tree, text) => {
    const engine = target();
    sequence ??= engine.open();
    const words = engine.source.tokenizer.encode(probe, { special: false });
    // All but the root goes into the cache, as far as it is not there yet.
    let shared = 0;
    while (shared < cached.length && shared < text.length - 1 && cached[shared] === text[shared]) shared++;
    sequence.rewind(shared);
    cached = [...text.subarray(0, text.length - 1)];
    for (let from = shared; from < cached.length;) {
      const tokens = Int32Array.from(cached.slice(from, from + engine.maxRows));
      await sequence.forward({ tokens, score: "last", need: "argmax" });
      sequence.keep(Int32Array.from(tokens.keys()));
      from += tokens.length;
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
    const scores = await sequence.forward({ tokens, need: "probabilities" });
    // The last row of the probe is followed by the copy's first token, as the root is by the draft's.
    const first = drafted.length + words.length;
    return new Map(line.map((_, i): [number, Distribution] => {
      const { vocab, tokens, probabilities } = scores.distribution(first + i);
      return [i === 0 ? -1 : line[i - 1], { vocab, tokens: tokens?.slice(), probabilities: probabilities.slice() }];
    }));
  };
}

export default definePlugin({
  kind: "rule",
  name: "reflective",
  summary: "RELAXED: ask the target about the draft again after a probe, and fuse both answers",
  options: {
    weight: { type: "number", default: 0.3, min: 0, max: 1, summary: "share of the second answer" },
    probe: { type: "string", default: PROBE, summary: "what stands between the draft and its copy" },
  },
  paper: {
    title: "Think Before You Accept: Semantic Reflective Verification for Faster Speculative Decoding",
    year: 2025,
    arxiv: "2505.18629",
  },
  create: ({ weight, probe }, _argument, context) =>
    reflective(Number(weight), probing(() => context.target, String(probe))),
});
