// Runs a text as the one right path through trees full of wrong tokens.
import type { Engine } from "../../../src/backend.ts";
import type { Logits } from "../../../src/check/conformance/engine-bench.ts";

/** Scores after each token of `tokens`, each computed as a node of a tree. */
export async function treeScores(engine: Engine, tokens: Int32Array): Promise<Logits[]> {
  const { vocab } = engine.source.spec;
  const sequence = engine.open();
  const rows: Logits[] = [];
  // Three levels; at each the right token stands between two wrong ones, and every level hangs under the right one.
  const parents = Int32Array.of(-1, -1, -1, 1, 1, 1, 4, 4, 4);
  const right = [1, 4, 7];
  for (let at = 0; at < tokens.length; at += right.length) {
    const here = tokens.subarray(at, at + right.length);
    const count = 3 * here.length;
    const draft = Int32Array.from({ length: count }, (_, node) => {
      const token = here[Math.floor(node / 3)];
      return (token + [1, 0, 2][node % 3]) % vocab;
    });
    const scores = await sequence.forward({ tokens: draft, parents: parents.slice(0, count) });
    const path = right.slice(0, here.length);
    for (const node of path) rows.push(Float64Array.from(scores.logits(node)));
    sequence.keep(Int32Array.from(path));
  }
  sequence.close();
  return rows;
}
