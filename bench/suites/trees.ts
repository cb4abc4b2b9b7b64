// How much of a draft stands, shape by shape, with equal nodes: stories260K and the 41K model that drafts for it, and the
// default model with what followed in the same text before (`successors`). No times: what a node costs is the machine's,
// and `hunch` looks at that itself (controllers `cost`, shape `sequoia`).
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { GraftDrafter } from "../../plugins/drafters/graft.ts";
import { LookupDrafter } from "../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { none } from "../../plugins/drafters/none.ts";
import { SuccessorProposer } from "../../plugins/drafters/successors.ts";
import { SpineDrafter } from "../../plugins/drafters/spine.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { importance } from "../../plugins/rules/importance.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { targetInit } from "../../plugins/rules/target-init.ts";
import { topAndOne as topAndOneRule } from "../../plugins/rules/top-and-one.ts";
import { traversal } from "../../plugins/rules/traversal.ts";
import { beam } from "../../plugins/shapes/beam.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import { Delayed } from "../../plugins/shapes/delayed.ts";
import { dynamic } from "../../plugins/shapes/dynamic.ts";
import { dySpec } from "../../plugins/shapes/dyspec.ts";
import { Growing } from "../../plugins/shapes/growing.ts";
import { endingGumbel, gumbel } from "../../plugins/shapes/gumbel.ts";
import { iid } from "../../plugins/shapes/iid.ts";
import { growLevels, widthAt } from "../../plugins/shapes/levels.ts";
import { optTree } from "../../plugins/shapes/opt-tree.ts";
import { Sequoia } from "../../plugins/shapes/sequoia.ts";
import { fixedTree, usualForm } from "../../plugins/shapes/static.ts";
import { TargetInit } from "../../plugins/shapes/target-init.ts";
import { topAndOne } from "../../plugins/shapes/top-and-one.ts";
import { topK } from "../../plugins/shapes/top-k.ts";
import type { Engine } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { complete } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { LIKELIEST, ProposedDrafter } from "../../src/draft/proposed.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, rawSampling } from "../../src/sampling.ts";
import type { TreeShape } from "../../src/shape.ts";
import type { DraftTree } from "../../src/tree.ts";
import { table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, loadStories, specBench, THREADS } from "../setup.ts";

const NODES = [4, 8, 16, 32];
const WIDTHS = [3, 2, 1];
/** Greedy stories whose places are drafted from, and stories drawn at temperature 1, each of so many tokens. */
const GREEDY_STORIES = 200;
const DRAWN_STORIES = 60;
const TOKENS = 32;
/** Prompts of the default model are cut to so many characters. */
const LONGEST = 1200;
/** The orderings that papers report: with replacement or without, from the root or later, levels or the best of all. */
const COMPARED = ["gumbel", "gumbel, with replacement", "iid, 2 paths", "delayed, 2 paths", "dynamic", "opt-tree"];

const WHO = [
  "Lily",
  "Tom",
  "A big dog",
  "The little bird",
  "Mom",
  "One day, Ben",
  "Sam and Mia",
  "The cat",
  "A fish",
  "He",
];
const WHAT = ["", " was", " liked to play", " went to the park", " saw a red ball"];
const HOW = ["", " very", " happy and", " with a friend."];
const PROMPTS = WHO.flatMap((who) => WHAT.flatMap((what) => HOW.map((how) => who + what + how)));

/** Children drawn with replacement, in the form of `gumbel`: what sampling without replacement is measured against. */
function repeating(widths: readonly number[]): TreeShape {
  return {
    name: "repeating",
    law: "iid",
    async grow(proposer, plan, chance) {
      const growing = new Growing(proposer, plan);
      await growLevels(
        growing,
        (node) => widthAt(widths, growing.depth(node)),
        (node, count) => growing.addIndependent(node, count, chance),
      );
      return growing.tree("iid");
    },
  };
}

const suite: Suite = {
  summary: "Tokens that stand, by tree shape and nodes: stories260K with a draft model of 41,000 parameters",
  async run() {
    const cacheDir = join(tmpdir(), "hunch-bench-trees");
    const load = (file: string) => loadStories(file, cacheDir);
    const engine = await load("stories260K.bin");
    const draft = await load("draft41K-tok512.bin");
    const proposer = new ModelProposer(draft);
    const stories = PROMPTS.slice(0, DRAWN_STORIES);
    const report = [
      await chosen(engine, proposer, stories),
      await unchanged(engine, proposer),
      await drawn(engine, proposer, stories, pairs(), NODES.slice(0, 3)),
    ];
    const large = await onnxBackend.load(await openModel(DEFAULT_MODEL), {
      format: "exact",
      strict: true,
      threads: THREADS,
      cacheDir,
    });
    const successors = new SuccessorProposer(large.source.spec.vocab);
    const texts = ["summarization", "translation", "qa"].flatMap((category) => specBench(category, 4))
      .map(({ text }) => text.slice(0, LONGEST));
    report.push(
      "## The default model, drafted for by `successors`",
      await chosen(large, successors, texts),
      await drawn(large, successors, texts, pairs().filter(([name]) => COMPARED.includes(name)), [8]),
    );
    large.close();
    return { report: report.join("\n\n") };
  },
};

/** At every place of greedy stories the same places are drafted by every shape: what it expects, and what comes true. */
async function chosen(engine: Engine, proposer: Proposer, prompts: readonly string[]): Promise<string> {
  const shapes: Record<string, TreeShape> = {
    chain,
    "static": fixedTree(usualForm(), "point"),
    "top-k": topK(WIDTHS),
    dynamic: dynamic(8),
    "opt-tree": optTree(0),
  };
  const sums = new Map<string, { expected: number; accepted: number; nodes: number }>();
  let places = 0;
  for (const prompt of prompts) {
    const story = await told(engine, none, prompt, { rule: greedy, nodes: 0 });
    const tokens = Int32Array.of(...engine.source.tokenizer.encode(prompt, { begin: true }), ...story.tokens);
    for (let end = tokens.length - story.tokens.length; end + 8 < tokens.length; end += 4) {
      places++;
      for (const nodes of NODES) {
        for (const [name, shape] of Object.entries(shapes)) {
          await proposer.sync(tokens.subarray(0, end), rawSampling(GREEDY));
          const tree = await shape.grow(proposer, { nodes, depth: Math.min(nodes, 8) }, LIKELIEST);
          const sum = sums.get(`${name} ${nodes}`) ?? { expected: 0, accepted: 0, nodes: 0 };
          sum.expected += shape === chain ? NaN : expected(tree);
          sum.accepted += matched(tree, tokens.subarray(end));
          sum.nodes += tree.tokens.length;
          sums.set(`${name} ${nodes}`, sum);
        }
      }
    }
  }
  const rows = Object.keys(shapes).map((name) => [
    name,
    ...NODES.map((nodes) => {
      const { expected, accepted } = sums.get(`${name} ${nodes}`)!;
      return `${Number.isNaN(expected) ? "–" : (expected / places).toFixed(3)} / ${(accepted / places).toFixed(3)}`;
    }),
  ]);
  return `### Greedy: expected by the draft / accepted, tokens per draft\n\n${places} places, the same for every shape.\n\n` +
    table(["shape", ...NODES.map((nodes) => `${nodes} nodes`)], rows);
}

/** Accepted nodes if the target said what the draft model says. */
function expected(tree: DraftTree): number {
  const value: number[] = [];
  tree.confidence!.forEach((own, node) => value.push(own * (tree.parents[node] < 0 ? 1 : value[tree.parents[node]])));
  return value.reduce((a, b) => a + b, 0);
}

/** How many tokens of a text the tree has, along one path from its root. */
function matched(tree: DraftTree, text: Int32Array): number {
  let end = -1;
  let count = 0;
  tree.tokens.forEach((token, node) => { // children stand after their parents, equal siblings are none
    if (tree.parents[node] !== end || token !== text[count]) return;
    end = node;
    count++;
  });
  return count;
}

/** Greedy text with every shape and joined drafter, byte by byte. */
async function unchanged(engine: Engine, proposer: ModelProposer): Promise<string> {
  const drafters: Record<string, Drafter> = {
    ...Object.fromEntries(
      Object.entries(all()).map(([name, shape]) => [name, new ProposedDrafter(name, proposer, shape)]),
    ),
    spine: new SpineDrafter(proposer, new LookupDrafter(8, 1), 2),
    graft: new GraftDrafter(proposer, new LookupDrafter(8, 1), 0.1),
  };
  const prompts = PROMPTS.slice(0, GREEDY_STORIES);
  const plain: string[] = [];
  for (const prompt of prompts) plain.push((await told(engine, none, prompt, { rule: greedy, nodes: 0 })).text);
  const rows = [];
  for (const [name, drafter] of Object.entries(drafters)) {
    let [same, tokens, passes] = [0, 0, 0];
    for (const [i, prompt] of prompts.entries()) {
      const { text, stats } = await told(engine, drafter, prompt, { rule: greedy, nodes: 8 });
      same += text === plain[i] ? 1 : 0;
      tokens += stats.tokens;
      passes += stats.passes;
    }
    rows.push([name, `${same} of ${prompts.length}`, (tokens / passes).toFixed(3)]);
  }
  return `### Greedy text with 8 nodes\n\n` + table(["drafts", "stories that are the same", "tokens per pass"], rows);
}

type Pair = readonly [name: string, shape: TreeShape, rule: VerificationRule];

/** Which shape is judged by which rule where the target samples. */
function pairs(): Pair[] {
  const shapes = all();
  return [
    ...Object.entries(shapes).map(([name, shape]): Pair => [name, shape, recursive]),
    ["gumbel, with replacement", repeating(WIDTHS), recursive],
    ["top-and-one", shapes["top-and-one"], topAndOneRule],
    ["iid, 2 paths", iid(2), importance],
    ["delayed, 2 paths", new Delayed(2), importance],
    ["iid, 2 paths", iid(2), traversal],
    ["delayed, 2 paths", new Delayed(2), traversal],
    ["gumbel", shapes.gumbel, traversal],
    ["beam", shapes.beam, traversal],
    ["dyspec", shapes.dyspec, traversal],
    ["target-init, relaxed", new TargetInit(3, [1], 0.1), targetInit],
  ];
}

/** Texts drawn at temperature 1. */
async function drawn(
  engine: Engine,
  proposer: Proposer,
  prompts: readonly string[],
  judged: readonly Pair[],
  sizes: readonly number[],
): Promise<string> {
  const rows = [];
  for (const [name, shape, rule] of judged) {
    const cells = [];
    for (const nodes of sizes) {
      let [tokens, passes] = [0, 0];
      const drafter = new ProposedDrafter(name, proposer, shape);
      for (const [seed, prompt] of prompts.entries()) {
        const { stats } = await told(engine, drafter, prompt, { rule, nodes, temperature: 1, seed });
        tokens += stats.tokens;
        passes += stats.passes;
      }
      cells.push((tokens / passes).toFixed(3));
    }
    rows.push([name, rule.name, ...cells]);
  }
  return `### Drawn at temperature 1: tokens per pass\n\n${prompts.length} texts of ${TOKENS} tokens.\n\n` +
    table(["shape", "rule", ...sizes.map((nodes) => `${nodes} nodes`)], rows);
}

function all(): Record<string, TreeShape> {
  return {
    chain,
    "static": fixedTree(usualForm(), "point"),
    "static, drawn": fixedTree(usualForm(), "distinct"),
    "top-k": topK(WIDTHS),
    "top-and-one": topAndOne(WIDTHS),
    dynamic: dynamic(8),
    "opt-tree": optTree(0),
    gumbel: gumbel(WIDTHS),
    beam: beam(3),
    dyspec: dySpec(0),
    sequoia: new Sequoia(() => NaN, 6),
    iid: iid(3),
    delayed: new Delayed(3),
    "gumbel, ending": endingGumbel([3, 2, 2, 1], 0.1),
  };
}

async function told(
  engine: Engine,
  drafter: Drafter,
  prompt: string,
  { rule, nodes, temperature = 0, seed = 0 }: {
    rule: VerificationRule;
    nodes: number;
    temperature?: number;
    seed?: number;
  },
) {
  return await complete({
    engine,
    prompt: engine.source.tokenizer.encode(prompt, { begin: true }),
    drafter,
    rule,
    controller: fixed(nodes, Math.min(nodes, 8)),
    sampling: { ...GREEDY, temperature },
    chance: new SeededChance(seed),
    maxTokens: TOKENS,
  });
}

export default suite;
