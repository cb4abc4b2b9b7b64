// A tree of chosen tokens put together from several sources: no node stands twice.
import { type DraftTree, EMPTY_TREE } from "../tree.ts";

export class JoinedTree {
  readonly tokens: number[] = [];
  readonly parents: number[] = [];
  readonly #depths: number[] = [];
  readonly #confidence: number[] = [];
  readonly #sources: string[] = [];
  readonly #children = new Map<number, Map<number, number>>();

  /** At most so many nodes and so many tokens in a row. */
  constructor(private readonly most: { readonly nodes: number; readonly depth: number }) {}

  get size(): number {
    return this.tokens.length;
  }

  /** Nodes that may still be added. */
  get room(): number {
    return this.most.nodes - this.size;
  }

  /** The node that stands there already, or a new one; −1 where there is no room or it would stand too deep. */
  add(parent: number, token: number, confidence = NaN, source = ""): number {
    let children = this.#children.get(parent);
    if (children === undefined) this.#children.set(parent, children = new Map());
    const known = children.get(token);
    if (known !== undefined) return known;
    const depth = (parent < 0 ? 0 : this.#depths[parent]) + 1;
    if (this.room <= 0 || depth > this.most.depth) return -1;
    const node = this.size;
    children.set(token, node);
    this.tokens.push(token);
    this.parents.push(parent);
    this.#depths.push(depth);
    this.#confidence.push(confidence);
    this.#sources.push(source);
    return node;
  }

  /** Adds tokens one below the other, as far as there is room; returns their nodes. */
  addChain(parent: number, tokens: Iterable<number>, source?: string): number[] {
    const nodes: number[] = [];
    for (const token of tokens) {
      parent = this.add(parent, token, NaN, source);
      if (parent < 0) break;
      nodes.push(parent);
    }
    return nodes;
  }

  /**
   * Adds every path of a tree, as far as there is room; returns the node of each of its nodes, −1 where it has none.
   * `source`: where its nodes come from, if it does not say so itself.
   */
  addTree(parent: number, { tokens, parents, confidence, sources }: DraftTree, source?: string): number[] {
    const nodes: number[] = [];
    for (let node = 0; node < tokens.length; node++) {
      const above = parents[node] < 0 ? parent : nodes[parents[node]];
      const rootless = parents[node] >= 0 && above < 0;
      nodes.push(rootless ? -1 : this.add(above, tokens[node], confidence?.[node], sources?.[node] ?? source));
    }
    return nodes;
  }

  get tree(): DraftTree {
    if (this.size === 0) return EMPTY_TREE;
    return {
      tokens: Int32Array.from(this.tokens),
      parents: Int32Array.from(this.parents),
      law: "point",
      q: () => undefined,
      confidence: Float64Array.from(this.#confidence),
      ...(this.#sources.some((source) => source !== "") && { sources: this.#sources.slice() }),
    };
  }
}
