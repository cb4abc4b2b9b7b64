// What a verification rule says of a draft.
import type { DraftTree } from "./tree.ts";

/** `path`: accepted nodes from the root down. `next`: one more token, of the target's own. */
export interface Verdict {
  readonly path: Int32Array;
  readonly next: number;
}

/** What is wrong with a verdict on a tree, in a few words; undefined where nothing is. */
export function verdictFault(
  tree: DraftTree,
  verdict: Verdict,
  vocab: number,
): string | undefined {
  let above = -1;
  for (const node of verdict.path) {
    if (!(node >= 0 && node < tree.parents.length) || tree.parents[node] !== above) {
      return `[${verdict.path.join(", ")}] is no path from the root`;
    }
    above = node;
  }
  return verdict.next >= 0 && verdict.next < vocab ? undefined : `its next token is ${verdict.next}`;
}
