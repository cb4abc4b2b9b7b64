// Who sees whom: causal text, windows and draft trees as one additive bias.
import { RESERVED } from "./grouped-cache.ts";

/** Parents and depths of rows that are not a chain. */
export interface TreeRows {
  readonly parents: Int32Array;
  readonly depths: Int32Array;
}

/**
 * Fills `bias` [count, total] with 0 where row r may see cache row c, −∞ elsewhere. The operator itself hides rows
 * after r. `past` committed rows stand before the pass; a row sees itself and the `window` − 1 positions before it.
 */
export function writeMask(
  bias: Float32Array,
  count: number,
  total: number,
  past: number,
  window: number,
  tree: TreeRows | undefined,
): void {
  bias.fill(0, 0, count * total);
  for (let row = 0; row < count; row++) {
    const line = row * total + RESERVED; // where position 0 stands
    const parents = tree && row < tree.parents.length ? tree.parents : undefined;
    const position = past + (parents ? tree!.depths[row] : row);
    const oldest = Math.max(0, position - window + 1); // the oldest position in the window
    bias.fill(-Infinity, line - RESERVED, line + Math.min(oldest, past));
    if (parents) {
      bias.fill(-Infinity, line + past, line + past + row);
      for (let at = parents[row]; at >= 0; at = parents[at]) {
        if (past + tree!.depths[at] >= oldest) bias[line + past + at] = 0;
      }
    } else if (oldest > past) {
      bias.fill(-Infinity, line + past, line + oldest);
    }
  }
}
