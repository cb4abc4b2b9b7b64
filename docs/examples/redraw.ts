// A verification rule in one file: the target draws for itself, and a draft that holds that token is accepted. Lossless
// for every law, since the draft has no part in what is drawn. See docs/plugins.md.
//
//   hunch check redraw --plugin docs/examples/redraw.ts
import type { Plugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";

const redraw: VerificationRule = {
  name: "redraw",
  lossless: true,
  independent: true,
  laws: ["point", "iid", "distinct", "top-and-one", "beam"],
  verify({ tokens, parents }, scores, chance) {
    let here = [-1]; // the root; below it, equal siblings stand together
    while (true) {
      const next = chance.pick(scores.distribution(here[0] + 1)); // row 0: the root; row i + 1: node i
      const holds = (node: number) => here.includes(parents[node]) && tokens[node] === next;
      const said = Array.from(tokens.keys()).filter(holds);
      if (said.length === 0) return { path: pathTo(parents, here[0]), next };
      here = said;
    }
  },
};

/** Nodes from the root down to `node`. */
function pathTo(parents: Int32Array, node: number): Int32Array {
  const path: number[] = [];
  for (let at = node; at >= 0; at = parents[at]) path.unshift(at);
  return Int32Array.from(path);
}

const plugin: Plugin<"rule"> = {
  kind: "rule",
  name: "redraw",
  summary: "keep what the target draws for itself",
  create: () => redraw,
};
export default plugin;
