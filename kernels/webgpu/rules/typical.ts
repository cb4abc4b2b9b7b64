// typical on the device: every draft's exact probability, every row's entropy up to a margin, and a token drawn from each row.
import type { Verified } from "../../../src/device-rule.ts";
import { childrenOf, longestStanding, pathTo } from "../../../src/draft/walk.ts";
import { kernelOf, Structure } from "../layout.ts";
import type { Draft, RuleOnDevice } from "./device-rule.ts";
import { factorsKernel, rowCode } from "./float64.ts";
import typicalCode from "./typical.wgsl" with { type: "text" };

/** As the kernel has it: nothing can be said. */
const NOBODY = 0xffffffff;

export const typicalKernel = kernelOf("typical", rowCode + typicalCode);
const SHAPE = new Structure(typicalCode);

export const typical: RuleOnDevice = {
  name: "typical",
  parts: ["best", "probabilities"],
  kernels: [factorsKernel, typicalKernel],
  upload(draft, uniforms) {
    const { tree, vocab } = draft;
    const size = tree.tokens.length;
    const words = Uint32Array.from({ length: 2 * size }, (_, i) => {
      const node = i >> 1;
      return i % 2 === 0 ? tree.parents[node] + 1 : tree.tokens[node];
    });
    return {
      words,
      numbers: [uniforms.subarray(0, 1)],
      shape: SHAPE.pack({ vocab, rows: size + 1, nodes: size }),
      bytes: 8 * (2 * size + 1),
      read: (verdict) => readTypical(verdict, draft),
    };
  },
  record(run, { shape, probabilities, factors, drafted, numbers, verdict }, rows) {
    run(factorsKernel, [shape, probabilities, factors], rows);
    run(typicalKernel, [shape, probabilities, factors, drafted, numbers, verdict], rows);
  },
};

/** The path is chosen here, from exact probabilities and entropies that are known up to a margin. */
function readTypical(words: Uint32Array, { tree, parameters: { epsilon, delta }, vocab }: Draft): Verified | undefined {
  const rows = tree.tokens.length + 1;
  const likely = new Float64Array(words.slice(2 * rows, 2 * rows + 2 * tree.tokens.length).buffer);
  const entropies = new Float32Array(words.buffer, words.byteOffset, 2 * rows);
  let settled = true;
  const node = longestStanding(tree, (row) => {
    settled &&= words[2 * row] !== NOBODY;
    const entropy = entropies[2 * row + 1];
    const unsure = margin(entropy, vocab);
    return childrenOf(tree, [row - 1]).map((child) => {
      const p = likely[child];
      if (p > epsilon || !(p > 0) || delta === 0) return p; // whatever the entropy is
      const above = Math.log(p / delta) + entropy;
      settled &&= Math.abs(above) > unsure; // also where it is no number
      return above > 0 ? p : 0;
    });
  });
  const next = words[2 * (node + 1)];
  return settled && next !== NOBODY ? { verdict: { path: pathTo(tree, node), next }, used: 1 } : undefined;
}

/**
 * How far off an entropy may be: logarithms to 2^-21 or 3 units in the last place, as WGSL asks for, and the rounding of
 * as many additions as stand behind one another.
 */
function margin(entropy: number, vocab: number): number {
  return 1e-5 + (vocab / 256 + 32) * 2 ** -23 * (Math.abs(entropy) + 1);
}
