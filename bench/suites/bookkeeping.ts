// What draft trees take outside the models: growing one from distributions that are there already, the mask and
// positions of its rows, and moving the kept rows together in the cache. As a share of the pass that scores the tree.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK } from "../../kernels/onnx/attention/blocks.ts";
import { BlockCache } from "../../kernels/onnx/attention/blocks-cache.ts";
import { maskedBlocks, writeBlockMask } from "../../kernels/onnx/attention/blocks-feeds.ts";
import { libraryPath } from "../../kernels/onnx/library.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { Runtime } from "../../kernels/onnx/runtime.ts";
import { depthsOf } from "../../kernels/rows.ts";
import { dynamic } from "../../plugins/shapes/dynamic.ts";
import { gumbel } from "../../plugins/shapes/gumbel.ts";
import { optTree } from "../../plugins/shapes/opt-tree.ts";
import { topK } from "../../plugins/shapes/top-k.ts";
import { SeededChance } from "../../src/chance.ts";
import { type Distribution, normalise } from "../../src/math/distribution.ts";
import type { Proposer } from "../../src/drafter.ts";
import { openModel } from "../../src/model/open.ts";
import type { TreeShape } from "../../src/shape.ts";
import { type DraftTree, rowParents } from "../../src/tree.ts";
import { show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, PAST, THREADS } from "../setup.ts";

const NODES = 31; // with the root, a pass of 32 rows
const PLAN = { nodes: NODES, depth: 6 };
const ROUNDS = 40;

const suite: Suite = {
  summary: "Growing, masking and compacting a tree of 31 nodes, as a share of the pass of 32 rows that scores it",
  async run() {
    const source = await openModel(DEFAULT_MODEL);
    const cacheDir = join(tmpdir(), "hunch-bench-bookkeeping");
    const engine = await onnxBackend.load(source, { format: "exact", strict: true, threads: THREADS, cacheDir });
    const sequence = engine.open();
    const text = Int32Array.from({ length: PAST }, (_, i) => (i * 7919 + 13) % source.spec.vocab);
    await sequence.forward({ tokens: text, score: "last" });
    sequence.keep(Int32Array.from(text.keys()));
    const cache = new BlockCache(await Runtime.load(await libraryPath(cacheDir)), source.spec, source.spec.context);
    const blocks = Math.ceil((PAST + 64) / BLOCK);
    cache.bind(PAST, blocks);
    const { heads } = source.spec.layers[0].attention;

    const proposer = tableProposer(source.spec.vocab);
    const shapes: TreeShape[] = [topK([4, 2, 2]), dynamic(8), optTree(0), gumbel([4, 2, 2])];
    const rows: string[][] = [];
    for (const shape of shapes) {
      const [grow, mask, compact, pass]: number[][] = [[], [], [], []];
      for (let round = 0; round < ROUNDS; round++) {
        const chance = new SeededChance(round);
        let start = performance.now();
        const tree = await shape.grow(proposer, PLAN, chance);
        grow.push(1000 * (performance.now() - start));

        const parents = rowParents(tree);
        const bias = new Float32Array(blocks * heads * parents.length * BLOCK);
        start = performance.now();
        const depths = depthsOf(parents);
        const placed = { past: PAST, parents, depths, chain: false, columns: cache.place(PAST, depths) };
        writeBlockMask(bias, placed, parents.length, heads, Infinity, maskedBlocks(placed, Infinity, blocks));
        mask.push(1000 * (performance.now() - start));

        const path = deepest(tree);
        start = performance.now();
        path.forEach((node, step) => cache.move(PAST + node + 1, PAST + step + 1));
        compact.push(1000 * (performance.now() - start));

        start = performance.now();
        await sequence.forward({ tokens: Int32Array.of(1, ...tree.tokens), parents });
        pass.push(1000 * (performance.now() - start));
      }
      const median = (times: number[]) => spread(times).median;
      const share = 100 * (median(grow) + median(mask) + median(compact)) / median(pass);
      rows.push([shape.name, ...[grow, mask, compact, pass].map((times) => show(spread(times))), share.toFixed(2)]);
    }
    engine.close();
    return { report: table(["shape", "grow µs", "mask µs", "compact µs", "pass µs", "% of the pass"], rows) };
  },
};

/** The last node and those above it, from the root down: as many moves as a tree may ask for. */
function deepest(tree: DraftTree): number[] {
  const path: number[] = [];
  for (let node = tree.tokens.length - 1; node >= 0; node = tree.parents[node]) path.push(node);
  return path.reverse();
}

/** The same few distributions over the whole vocabulary again and again: what they cost to make is not counted here. */
function tableProposer(vocab: number): Proposer {
  const made: Distribution[] = Array.from({ length: 8 }, (_, i) =>
    normalise({
      vocab,
      probabilities: Float64Array.from(
        { length: vocab },
        (_, token) => 1 / (1 + (token * 31 + i * 977) % vocab) ** 1.2,
      ),
    }));
  return {
    vocab,
    sync: async () => {},
    propose: async ({ tokens }) =>
      tokens.length === 0 ? [made[0]] : Array.from(tokens, (token) => made[token % made.length]),
  };
}

export default suite;
