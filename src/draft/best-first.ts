// A tree of the likeliest candidates, as large as pays: each next node is the likeliest path that is left, and nodes are
// kept as long as they raise the tokens expected per millisecond.
// OPT-Tree: Speculative Decoding with Adaptive Draft Tree Structure (Wang et al., 2024, arXiv 2406.17276) for the order;
// the size follows from the cost curve.
import type { Plan } from "../controller.ts";
import { type DraftTree, EMPTY_TREE } from "../tree.ts";

/** A token that may come next, and how likely it is accepted where its parent is, 0 … 1. */
export interface Candidate {
  readonly token: number;
  readonly probability: number;
  /** As DraftTree.sources. */
  readonly source?: string;
}

/** A node on the way into the tree. */
interface Offer<C> {
  readonly candidate: C;
  readonly parent: number;
  readonly depth: number;
  /** How likely the whole path is accepted. */
  readonly value: number;
}

/** Nodes looked at beyond the best size so far: a dear step in the cost curve may be followed by cheap ones. */
const LOOK_AHEAD = 6;
/** Paths less likely than this are not followed. */
const LEAST = 0.02;
/** Without a cost curve a node must be accepted this likely. */
const WORTH = 0.4;

/**
 * `next`: the candidates below a path, given from the root down (empty: below the root). Returns the tree, law `point`,
 * and the candidate of each of its nodes.
 */
export function bestFirst<C extends Candidate>(
  plan: Plan,
  next: (path: readonly C[]) => readonly C[],
): { readonly tree: DraftTree; readonly candidates: readonly C[] } {
  const nodes: Offer<C>[] = [];
  const offers: Offer<C>[] = [];
  const offer = (parent: number, depth: number, value: number, path: readonly C[]) => {
    for (const candidate of next(path)) {
      const worth = value * candidate.probability;
      if (worth >= LEAST) offers.push({ candidate, parent, depth, value: worth });
    }
  };
  offer(-1, 1, 1, []);
  const { cost } = plan;
  let tokens = 1;
  let best = cost === undefined ? 0 : 1 / cost(1);
  let size = 0;
  while (offers.length > 0 && nodes.length < plan.nodes && nodes.length < size + LOOK_AHEAD) {
    const node = take(offers);
    tokens += node.value;
    nodes.push(node);
    if (cost === undefined ? node.value >= WORTH : tokens / cost(nodes.length + 1) >= best) {
      size = nodes.length;
      if (cost !== undefined) best = tokens / cost(size + 1);
    }
    if (node.depth < plan.depth) offer(nodes.length - 1, node.depth + 1, node.value, pathTo(nodes, nodes.length - 1));
  }
  nodes.length = size;
  if (size === 0) return { tree: EMPTY_TREE, candidates: [] };
  return {
    tree: {
      tokens: Int32Array.from(nodes, ({ candidate }) => candidate.token),
      parents: Int32Array.from(nodes, ({ parent }) => parent),
      law: "point",
      q: () => undefined,
      confidence: Float64Array.from(nodes, ({ candidate }) => candidate.probability),
      sources: nodes.map(({ candidate }) => candidate.source ?? ""),
    },
    candidates: nodes.map(({ candidate }) => candidate),
  };
}

/** Takes out the most valuable offer, of equal ones the first. */
function take<C>(offers: Offer<C>[]): Offer<C> {
  let at = 0;
  for (let i = 1; i < offers.length; i++) if (offers[i].value > offers[at].value) at = i;
  return offers.splice(at, 1)[0];
}

function pathTo<C>(nodes: readonly Offer<C>[], node: number): C[] {
  const path: C[] = [];
  for (let at = node; at >= 0; at = nodes[at].parent) path.unshift(nodes[at].candidate);
  return path;
}
