// Random drafts with the target's rows and uniform numbers, for implementations of verification rules.
import { UniformChance } from "../../../src/chance.ts";
import { mostUniforms } from "../../../src/device-rule.ts";
import { dense, type Distribution, sparse, without } from "../../../src/math/distribution.ts";
import type { DraftLaw, DraftTree } from "../../../src/tree.ts";
import type { Random } from "./random.ts";

const ENDS = [0, 2 ** -53, 0.5, 1 - 2 ** -53, 1];

export interface RuleCase {
  readonly tree: DraftTree;
  readonly rows: Float32Array; // [nodes + 1, vocab]
  readonly uniforms: Float64Array;
}

/** How nodes get their parents: a few places with many drafts, a long chain, or as it comes. */
export type Shape = "any" | "deep" | "wide";

/** A distribution with zeros, ties, or all on one token, now and then. In float32, as from a device. */
function random(vocab: number, dice: Random): Float32Array {
  const kind = dice.whole(7);
  const values = Float64Array.from({ length: vocab }, () => {
    if (kind === 0) return dice.whole(3); // ties and zeros
    if (kind === 1) return 1;
    if (kind === 2) return dice.chance(0.5) ? 0 : dice.next();
    return Math.exp(8 * dice.next() * dice.next());
  });
  if (kind === 3) values.fill(0);
  if (kind === 4) peak(values, dice, 45);
  values[dice.whole(vocab)] += kind === 1 ? 0 : 1;
  const sum = values.reduce((a, b) => a + b, 0);
  return Float32Array.from(values, (value) => value / sum);
}

/** Leaves next to nothing of all values, 10^-power at most, but for the 1 that one of them still gets. */
function peak(values: Float64Array, dice: Random, power: number): void {
  const sum = values.reduce((a, b) => a + b, 0);
  const rest = 10 ** -dice.whole(power) / sum;
  for (let i = 0; i < values.length; i++) values[i] *= rest;
}

/** Up to `nodes` nodes: a draft that its law does not allow is left out. */
export function randomCase(vocab: number, nodes: number, law: DraftLaw, dice: Random, shape: Shape = "any"): RuleCase {
  const tokens: number[] = [];
  const parents: number[] = [];
  const rows = new Float32Array((nodes + 1) * vocab);
  const draws = new Map<number, Distribution>();
  const fanned = new Map<number, number[]>();
  for (let row = 0; row <= nodes; row++) rows.set(random(vocab, dice), row * vocab);
  for (let node = 0; node < nodes; node++) {
    const wanted = shape === "deep"
      ? node - 1
      : dice.whole(Math.min(node + 1, shape === "wide" ? 2 : 4)) - 1 + Math.max(0, node - 3) * Number(dice.chance(0.3));
    const parent = wanted < tokens.length ? wanted : tokens.length - 1;
    const q = draws.get(parent) ?? like(rows.subarray((parent + 1) * vocab, (parent + 2) * vocab), dice);
    draws.set(parent, q);
    const elder = fanned.get(parent) ?? [];
    const from = law === "iid" ? q : without(q, elder);
    const x = from === undefined || law === "point" ? dice.whole(vocab) : new UniformChance(dice.next).pick(from);
    if (law !== "iid" && elder.includes(x)) continue;
    fanned.set(parent, [...elder, x]);
    tokens.push(x);
    parents.push(parent);
  }
  const tree: DraftTree = {
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(parents),
    law,
    q: (node) => law === "point" ? undefined : draws.get(node) ?? dense(new Float64Array(vocab).fill(1 / vocab)),
  };
  const uniforms = Float64Array.from(
    { length: mostUniforms(tree) },
    () => dice.chance(0.2) ? ENDS[dice.whole(ENDS.length)] : dice.next(),
  );
  return { tree, rows, uniforms };
}

/** What a drafter may believe: the same, something else, few tokens of it, with another sum, or nearly all of one token. */
function like(p: Float32Array, dice: Random): Distribution {
  const vocab = p.length;
  switch (dice.whole(6)) {
    case 0:
      return dense(p);
    case 1:
      return sparse(vocab, [0, vocab - 1], [0.25, 0.75]);
    case 2:
      return dense(random(vocab, dice).map((value) => 1.3 * value));
    case 3: {
      const values = Float64Array.from(random(vocab, dice));
      peak(values, dice, dice.chance(0.5) ? 20 : 300);
      values[dice.whole(vocab)] += 1;
      return dense(values);
    }
    default:
      return dense(random(vocab, dice));
  }
}
