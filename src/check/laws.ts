// The draft laws of src/tree.ts, drawn by the book: what a drafter of that law may do, in the fewest lines.
import type { Chance } from "../chance.ts";
import { type Distribution, entries, mass, sparse, without } from "../math/distribution.ts";
import { depthOf, type DraftLaw, type DraftTree } from "../tree.ts";
import type { Case, Rows } from "./case.ts";

/** A tree under construction. */
interface PartialTree {
  readonly tokens: number[];
  readonly parents: number[];
  readonly contexts: number[];
}

function finish(law: DraftLaw, rows: Rows, { tokens, parents, contexts }: PartialTree): DraftTree {
  return {
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(parents),
    law,
    q: (node) => law === "point" ? undefined : rows.q[node < 0 ? 0 : contexts[node]],
  };
}

/** One draft of a case. */
export function drawTree(rows: Rows, chance: Chance): DraftTree {
  if (rows.of.law !== "beam") return drawSiblings(rows, chance);
  return rows.of.growing ? drawGrowing(rows, chance) : drawBeam(rows, chance);
}

/** Every law but `beam`: place by place, each child given its elder siblings. */
function drawSiblings(rows: Rows, chance: Chance): DraftTree {
  const { law, parents, vocab } = rows.of;
  const tree: PartialTree = { tokens: [], parents: [], contexts: [] };
  const nodeOf = new Map([[-1, -1]]); // place of the case → node of this tree
  for (let place = 0; place < parents.length; place++) {
    const parent = nodeOf.get(parents[place]);
    if (parent === undefined) continue;
    const context = parent < 0 ? 0 : tree.contexts[parent];
    const elder = tree.tokens.filter((_, node) => tree.parents[node] === parent);
    const last = parents.lastIndexOf(parents[place]) === place;
    const token = drawChild(law, rows.q[context], elder, last, chance);
    if (token === undefined) continue;
    nodeOf.set(place, tree.tokens.length);
    tree.tokens.push(token);
    tree.parents.push(parent);
    tree.contexts.push(context * vocab + token + 1);
  }
  return finish(law, rows, tree);
}

/**
 * The loosest reading of the law `beam`: each next sibling is drawn from q without its elders, but where it is put is up
 * to all that was drawn before. Here a hash of the tokens so far decides, which follows them more closely than any
 * sensible drafter. As many nodes as the case has places.
 */
function drawGrowing(rows: Rows, chance: Chance): DraftTree {
  const { parents, vocab } = rows.of;
  const depth = depthOf({ parents });
  const tree: PartialTree = { tokens: [], parents: [], contexts: [] };
  const depths: number[] = [];
  while (tree.tokens.length < parents.length) {
    const open = [-1, ...tree.tokens.keys()].filter((node) => (depths[node] ?? 0) < depth);
    const hash = tree.tokens.reduce((sum, token, node) => sum * 31 + token * (node + 7), tree.tokens.length + 3);
    const parent = open[hash % open.length];
    const context = parent < 0 ? 0 : tree.contexts[parent];
    const elder = tree.tokens.filter((_, node) => tree.parents[node] === parent);
    const token = drawChild("distinct", rows.q[context], elder, false, chance);
    if (token === undefined) break;
    tree.tokens.push(token);
    tree.parents.push(parent);
    tree.contexts.push(context * vocab + token + 1);
    depths.push((depths[parent] ?? 0) + 1);
  }
  return finish("beam", rows, tree);
}

/** The next child; undefined where q has no token left for it. */
function drawChild(law: DraftLaw, q: Distribution, elder: number[], last: boolean, chance: Chance): number | undefined {
  if (law === "iid") return chance.pick(q);
  if (law === "distinct" || (law === "top-and-one" && last)) {
    const rest = elder.length === 0 ? q : without(q, elder);
    return rest && chance.pick(rest);
  }
  const ranked = Array.from({ length: q.vocab }, (_, t) => t).filter((t) => !elder.includes(t));
  const values = new Map(entries(q));
  // A chosen draft may be a token that q excludes; one of the likeliest may not.
  const best = ranked.sort((a, b) => (values.get(b) ?? 0) - (values.get(a) ?? 0) || a - b)[0];
  return best === undefined || (law === "top-and-one" && !values.has(best)) ? undefined : best;
}

/**
 * Stochastic Beams and Where to Find Them (Kool et al., 2019, arXiv 1903.06059), told without its Gumbel noise: whole
 * sequences are drawn without replacement, and each level keeps its first `width` distinct prefixes in the order in
 * which they appear. Width: the places of the case's deepest level.
 */
function drawBeam(rows: Rows, chance: Chance): DraftTree {
  const { parents, vocab } = rows.of;
  const depth = depthOf({ parents });
  const width = widthOf(rows.of);
  let leaves: Leaf[] = [{ context: 0, weight: 1, lifts: 0 }];
  for (let level = 0; level < depth; level++) {
    leaves = leaves.flatMap((leaf) =>
      [...entries(rows.q[leaf.context])].map(([token, probability]) => {
        const below = lifted(probability);
        const { weight, lifts } = lifted(leaf.weight * below.weight / mass(rows.q[leaf.context]));
        return { context: leaf.context * vocab + token + 1, weight, lifts: leaf.lifts + below.lifts + lifts };
      })
    );
  }
  const prefixes = ({ context }: { context: number }) => {
    const all: number[] = [];
    for (let c = context; c > 0; c = Math.floor((c - 1) / vocab)) all.push(c);
    return all.reverse(); // by level
  };
  const levels: number[][] = Array.from({ length: depth }, () => []);
  while (true) {
    // A sequence that adds nothing to an open level changes nothing, now or later: it is not worth a branch. What any
    // other adds is told by its prefix at the deepest open level.
    const open = levels.map((_, level) => level).filter((level) => levels[level].length < width);
    const offers = new Map<number, number>();
    const adding = leaves.filter((leaf) => {
      const prefix = prefixes(leaf);
      return open.some((level) => !levels[level].includes(prefix[level]));
    });
    if (adding.length === 0) break;
    const least = adding.reduce((least, { lifts }) => Math.min(least, lifts), Infinity);
    for (const leaf of adding) {
      const key = prefixes(leaf)[open[open.length - 1]];
      offers.set(key, (offers.get(key) ?? 0) + leaf.weight * LIFT ** (least - leaf.lifts));
    }
    const contexts = [...offers.keys()];
    const drawn = chance.pick(sparse(Math.max(...contexts) + 1, contexts, [...offers.values()]));
    prefixes({ context: drawn }).forEach((context, level) => {
      if (levels[level].length < width && !levels[level].includes(context)) levels[level].push(context);
    });
  }
  const tree: PartialTree = { tokens: [], parents: [], contexts: [] };
  for (const context of levels.flat()) {
    tree.tokens.push((context - 1) % vocab);
    tree.parents.push(tree.contexts.indexOf(Math.floor((context - 1) / vocab)));
    tree.contexts.push(context);
  }
  return finish("beam", rows, tree);
}

/** A sequence that is drawn with probability weight · LIFT^−lifts: a product of small numbers soon is none. */
interface Leaf {
  readonly context: number;
  /** Above 1/LIFT. */
  readonly weight: number;
  readonly lifts: number;
}

const LIFT = 2 ** 500;

function lifted(weight: number): Pick<Leaf, "weight" | "lifts"> {
  let lifts = 0;
  for (; weight < 1 / LIFT; lifts++) weight *= LIFT;
  return { weight, lifts };
}

/** Places of the deepest level. */
function widthOf({ parents }: Case): number {
  const depths: number[] = [];
  for (const parent of parents) depths.push(parent < 0 ? 1 : depths[parent] + 1);
  return depths.filter((depth) => depth === Math.max(...depths)).length;
}
