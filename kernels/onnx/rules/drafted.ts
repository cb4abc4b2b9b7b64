// The walk of rules that put the drafts of each place to trial in one graph.
import { type TreePlace, walkDown } from "../../../src/draft/walk.ts";
import { type Distribution, point } from "../../../src/math/distribution.ts";
import type { Verdict } from "../../../src/verdict.ts";
import type { DraftTree } from "../../../src/tree.ts";
import type { ScoredPass } from "./onnx-rule.ts";

/** `say`: the token of a place that has drafts. A draft that was chosen has all of q. */
export function walkDrafts(
  tree: DraftTree,
  pass: ScoredPass,
  say: (place: TreePlace & { readonly drawn: Distribution }) => number,
): Verdict {
  return walkDown(tree, (place) => {
    if (place.drafts.length === 0) return pass.draw(place.row);
    return say({ ...place, drawn: place.drawn ?? point(pass.vocab, place.drafts[0]) });
  });
}
