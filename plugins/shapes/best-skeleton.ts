// The form of the tree that has the most nodes accepted, when acceptance depends on the rank among siblings alone.
// Sequoia: Scalable, Robust, and Hardware-aware Speculative Decoding (Chen et al., 2024, arXiv 2402.12374), section 4.1.
//
// With a[b] the probability that a node's b-th child is accepted, given that the node is, the tree below a node is worth
//   F(m, l) = max over the number of children and the nodes given to each of Σ_b a[b]·(1 + F(m_b − 1, l − 1)),
// filled in by dynamic programming over one child after the other.
import type { Skeleton } from "./skeleton.ts";

export class Forms {
  /** [depth][children][nodes]: worth of the best tree with exactly so many children and nodes; −1 where there is none. */
  readonly #worth: Float64Array[][] = [];
  /** The same, of the nodes in the subtree of the last child. */
  readonly #last: Int32Array[][] = [];
  /** [depth][nodes]: the best number of children. */
  readonly #children: Int32Array[] = [];

  /** `acceptance` by rank, at least one; `nodes` and `depth` ≥ 0 are the most that can be asked for. */
  constructor(acceptance: readonly number[], readonly nodes: number, readonly depth: number) {
    const ranks = acceptance.length;
    this.#children.push(new Int32Array(nodes + 1));
    this.#worth.push([new Float64Array(nodes + 1)]); // at depth 0 nodes bring nothing
    this.#last.push([]);
    for (let l = 1; l <= depth; l++) {
      const worth = Array.from({ length: ranks + 1 }, () => new Float64Array(nodes + 1).fill(-1));
      const last = Array.from({ length: ranks + 1 }, () => new Int32Array(nodes + 1));
      const children = new Int32Array(nodes + 1);
      worth[0].fill(0);
      for (let b = 1; b <= ranks; b++) {
        for (let m = b; m <= nodes; m++) {
          for (let y = 1; y <= m - b + 1; y++) {
            const value = worth[b - 1][m - y] + acceptance[b - 1] * (1 + this.#best(l - 1, y - 1));
            if (value > worth[b][m]) {
              worth[b][m] = value;
              last[b][m] = y;
            }
          }
          if (worth[b][m] > worth[children[m]][m]) children[m] = b;
        }
      }
      this.#worth.push(worth);
      this.#last.push(last);
      this.#children.push(children);
    }
  }

  /** Expected accepted nodes of the best tree of at most so many nodes and levels. */
  expected(nodes: number, depth: number): number {
    return this.#best(Math.min(depth, this.depth), Math.min(nodes, this.nodes));
  }

  /** The best tree of at most so many nodes and levels, level by level. */
  skeleton(nodes: number, depth: number): Skeleton {
    const parents: number[] = [];
    let level = [{ node: -1, nodes: Math.min(nodes, this.nodes) }];
    for (let l = Math.min(depth, this.depth); l > 0 && level.length > 0; l--) {
      level = level.flatMap(({ node, nodes: m }) => {
        const sizes: number[] = [];
        for (let b = this.#children[l][m]; b > 0; b--) {
          sizes.unshift(this.#last[l][b][m]);
          m -= sizes[0];
        }
        return sizes.map((size) => ({ node: parents.push(node) - 1, nodes: size - 1 }));
      });
    }
    return parents;
  }

  #best(l: number, m: number): number {
    return this.#worth[l][this.#children[l][m]][m];
  }
}
