// The tree that a proposer is asked about, as it grows.

/** Nodes in topological order: tokens, and their parents' indices, −1 for the root. */
export class AskedNodes {
  readonly tokens: number[] = [];
  readonly parents: number[] = [];

  clear(): void {
    this.tokens.length = 0;
    this.parents.length = 0;
  }

  /** Adds nodes and returns the places whose q is wanted: theirs, or the root's (−1) where there are none. */
  add(nodes: { readonly tokens: Int32Array; readonly parents: Int32Array }): number[] {
    const first = this.tokens.length;
    this.tokens.push(...nodes.tokens);
    this.parents.push(...nodes.parents);
    return nodes.tokens.length === 0 ? [-1] : Array.from(nodes.tokens, (_, i) => first + i);
  }
}
