// A tree that fills its plan: each next node is the likeliest path that is left. Where the plan tells what rows cost, the
// tree ends where it brings the most tokens per millisecond.
import type { Plan } from "../controller.ts";
import { type DraftTree, EMPTY_TREE } from "../tree.ts";

/**
 * What may come next below a place. `offer` is called with a token, how likely it is accepted where the place is (0 … 1)
 * and the place below that token. A token is offered once.
 */
export type Next<P> = (place: P, offer: (token: number, probability: number, place: P) => void) => void;

export interface Filled<P> {
  /** Law `point`; its confidence is the probability that each node was offered with. */
  readonly tree: DraftTree;
  /** [size] The place below each node. */
  readonly places: readonly P[];
  /** Tokens of the tree that are expected to be accepted. */
  readonly expected: number;
}

interface Offer<P> {
  readonly token: number;
  readonly parent: number;
  readonly depth: number;
  readonly probability: number;
  /** How likely the whole path is accepted. */
  readonly value: number;
  readonly place: P;
}

/** Nodes looked at beyond the best size so far: a dear step in the cost curve may be followed by cheap ones. */
const LOOK_AHEAD = 6;

const NOTHING = { tree: EMPTY_TREE, places: [], expected: 0 };

/** Paths less likely than `least` are left out; of equally likely ones the one that was offered first comes first. */
export function fill<P>({ nodes: most, depth: deepest, cost }: Plan, start: P, next: Next<P>, least = 0): Filled<P> {
  const offers: Offer<P>[] = [];
  const nodes: Offer<P>[] = [];
  const expand = (parent: number, depth: number, value: number, place: P): void => {
    if (depth > deepest) return;
    next(place, (token, probability, place) => {
      const worth = value * probability;
      if (worth >= least && worth > 0) offers.push({ token, parent, depth, probability, value: worth, place });
    });
  };
  expand(-1, 1, 1, start);
  const worth = new Worth(cost);
  while (offers.length > 0 && nodes.length < Math.min(most, worth.nodes + LOOK_AHEAD)) {
    const node = take(offers);
    nodes.push(node);
    worth.add(node.value);
    if (nodes.length < most) expand(nodes.length - 1, node.depth + 1, node.value, node.place);
  }
  nodes.length = worth.nodes;
  if (nodes.length === 0) return NOTHING;
  return {
    tree: {
      tokens: Int32Array.from(nodes, ({ token }) => token),
      parents: Int32Array.from(nodes, ({ parent }) => parent),
      law: "point",
      q: () => undefined,
      confidence: Float64Array.from(nodes, ({ probability }) => probability),
    },
    places: nodes.map(({ place }) => place),
    expected: worth.expected,
  };
}

/** Of nodes in their order, how many from the first on bring the most tokens per millisecond; all where costs are unknown. */
export class Worth {
  nodes = 0;
  /** Of those nodes, how many are expected to be accepted. */
  expected = 0;
  #seen = 0;
  #sum = 0;
  #best: number;

  constructor(private readonly cost: Plan["cost"]) {
    this.#best = cost === undefined ? 0 : 1 / cost(1);
  }

  /** `value`: how likely the path to the node is accepted. */
  add(value: number): void {
    this.#seen++;
    this.#sum += value;
    const rate = this.cost === undefined ? this.#best : (1 + this.#sum) / this.cost(this.#seen + 1);
    if (rate >= this.#best) [this.nodes, this.expected, this.#best] = [this.#seen, this.#sum, rate];
  }
}

/** Takes out the most valuable offer, of equal ones the first. */
function take<P>(offers: Offer<P>[]): Offer<P> {
  let at = 0;
  for (let i = 1; i < offers.length; i++) if (offers[i].value > offers[at].value) at = i;
  return offers.splice(at, 1)[0];
}
