// What judging a draft takes, as a share of the pass that scored it: rules in TypeScript, and where the engine has them
// in its own graphs. Temperature 1 and nothing truncated, so that every distribution is as long as the vocabulary.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { block } from "../../plugins/rules/block.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { match } from "../../plugins/rules/match.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { token } from "../../plugins/rules/token.ts";
import { topAndOne } from "../../plugins/rules/top-and-one.ts";
import { traversal } from "../../plugins/rules/traversal.ts";
import { typical } from "../../plugins/rules/typical.ts";
import type { Engine, Scores, Sequence } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import type { VerifyRequest } from "../../src/device-rule.ts";
import { requestVerdict } from "../../src/round/request-verdict.ts";
import { dense, type Distribution, normalise, top, without } from "../../src/math/distribution.ts";
import { openModel } from "../../src/model/open.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY } from "../../src/sampling.ts";
import { SampledScores } from "../../src/round/sampled-scores.ts";
import type { DraftLaw, DraftTree } from "../../src/tree.ts";
import { show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, PAST, specBench, THREADS } from "../setup.ts";

const SAMPLING = { ...GREEDY, temperature: 1 };
/** Children of every node of a depth: 16 nodes each. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  chain: new Array(16).fill(1),
  tree: [4, 3],
  wide: [16],
};
const RULES: readonly [VerificationRule, DraftLaw, keyof typeof SHAPES][] = [
  [greedy, "point", "tree"],
  [match, "point", "tree"],
  [typical(0.09, 0.3), "point", "tree"],
  [token, "iid", "chain"],
  [block, "iid", "chain"],
  [recursive, "point", "tree"],
  [recursive, "iid", "tree"],
  [recursive, "distinct", "tree"],
  [recursive, "distinct", "wide"],
  [topAndOne, "top-and-one", "tree"],
  [traversal, "distinct", "tree"],
];
const ROUNDS = 40;

const suite: Suite = {
  summary: "Microseconds of judging 16 drafted nodes at the whole vocabulary, and as a share of the pass",
  async run() {
    const source = await openModel(DEFAULT_MODEL);
    const cacheDir = join(tmpdir(), "hunch-bench-verification");
    const engine = await onnxBackend.load(source, { format: "int8", strict: true, threads: THREADS, cacheDir });
    const prompts = specBench("summarization", 2).map((prompt) => prompt.text).join("\n");
    const text = [...source.tokenizer.encode(prompts)].slice(0, PAST);
    const sequence = engine.open();
    await sequence.forward({ tokens: Int32Array.from(text.slice(0, -1)), score: "last" });
    sequence.keep(Int32Array.from(text.slice(0, -1), (_, i) => i));
    const rows = [];
    for (const [rule, law, shape] of RULES) rows.push(await measure(rule, law, shape, engine, sequence, text));
    return { report: table(["rule", "draft", "TypeScript µs", "% of the pass", "engine µs", "% of the pass"], rows) };
  },
};

async function measure(
  rule: VerificationRule,
  law: DraftLaw,
  shape: string,
  engine: Engine,
  sequence: Sequence,
  text: readonly number[],
): Promise<string[]> {
  const tree = await grow(SHAPES[shape], law, sequence, text[text.length - 1]);
  const passes: number[] = [];
  const own: number[] = [];
  const device: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const scores = await pass(tree, sequence, text[text.length - 1]);
    passes.push(performance.now() - start);
    const sampled = new SampledScores(scores, SAMPLING, Int32Array.from(text), tree);
    const chance = new SeededChance(round);
    const judging = performance.now();
    rule.verify(tree, sampled, chance);
    own.push(1000 * (performance.now() - judging));
    const asked = requestVerdict(rule, tree, rule.greedy ? GREEDY : SAMPLING, engine.can, new SeededChance(round));
    if (asked === undefined) continue;
    const judged = performance.now();
    await pass(tree, sequence, text[text.length - 1], asked);
    device.push(1000 * (performance.now() - judged - passes[passes.length - 1]));
  }
  const ms = spread(passes).median;
  const share = (times: number[]) => (spread(times).median / ms / 10).toFixed(2);
  const draft = `${law} ${shape} of ${tree.tokens.length}`;
  const engines = device.length === 0 ? ["–", "–"] : [show(spread(device)), share(device)];
  return [rule.name, draft, show(spread(own)), share(own), ...engines];
}

function pass(
  tree: Pick<DraftTree, "tokens" | "parents">,
  sequence: Sequence,
  root: number,
  verify?: VerifyRequest,
): Promise<Scores> {
  return sequence.forward({
    tokens: Int32Array.of(root, ...tree.tokens),
    parents: Int32Array.of(-1, ...tree.parents.map((parent) => parent + 1)),
    temperature: 1,
    need: "probabilities",
    verify,
  });
}

/** A draft by somebody who is a little less sure than the target: q in proportion to p^0.8. */
async function grow(shape: readonly number[], law: DraftLaw, sequence: Sequence, root: number): Promise<DraftTree> {
  const chance = new SeededChance("draft");
  const tokens: number[] = [];
  const parents: number[] = [];
  const draws = new Map<number, Distribution>();
  let level = [-1];
  for (const children of shape) {
    const scores = await pass({ tokens: Int32Array.from(tokens), parents: Int32Array.from(parents) }, sequence, root);
    const next: number[] = [];
    for (const node of level) {
      const q = normalise(dense(scores.distribution(node + 1).probabilities.map((p) => p ** 0.8)));
      draws.set(node, q);
      const drawn = law === "point" || law === "top-and-one" ? top(q, children) : [];
      while (drawn.length < children) drawn.push(chance.pick(law === "iid" ? q : without(q, drawn)!));
      for (const token of drawn) {
        next.push(tokens.length);
        tokens.push(token);
        parents.push(node);
      }
    }
    level = next;
  }
  const q = (node: number) => law === "point" ? undefined : draws.get(node);
  return { tokens: Int32Array.from(tokens), parents: Int32Array.from(parents), law, q };
}

export default suite;
