// Sampled text of a real model: what a rule and a drafter say together, against the model's own distribution.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { block } from "../../plugins/rules/block.ts";
import { importance } from "../../plugins/rules/importance.ts";
import { kSeq } from "../../plugins/rules/k-seq.ts";
import { match } from "../../plugins/rules/match.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { specHub } from "../../plugins/rules/spechub.ts";
import { token } from "../../plugins/rules/token.ts";
import { topAndOne } from "../../plugins/rules/top-and-one.ts";
import { traversal } from "../../plugins/rules/traversal.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import { SeededChance } from "../../src/chance.ts";
import { drawPlace, OnePlace } from "../../src/check/acceptance.ts";
import { chiSquare, deviate } from "../../src/check/chi-square.ts";
import { dense, type Distribution, normalise } from "../../src/math/distribution.ts";
import { complete } from "../../src/round/generate.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { openModel } from "../../src/model/open.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { fixture } from "../kernels/support/golden.ts";
import { optionsOf } from "../support/options.ts";

const load = async (file: string) =>
  await referenceBackend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    cacheDir: "",
  });
const [engine, draft] = [await load("stories260K.bin"), await load("draft41K-tok512.bin")];
const prompt = engine.source.tokenizer.encode("She was very", { begin: true });

/** What both models say after the prompt and `more`. */
async function rowAfter(model: typeof engine, more: readonly number[] = []): Promise<Distribution> {
  const sequence = model.open();
  const scores = await sequence.forward({ tokens: Int32Array.of(...prompt, ...more), score: "last" });
  const row = scores.distribution(0);
  const copy = normalise({ ...row, probabilities: row.probabilities.slice() });
  sequence.close();
  return copy;
}

const tally = (tokens: readonly number[]) => {
  const counts = new Map<number, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
};

test("text sampled with the rule token and a draft model has the model's own distribution", async () => {
  const first: number[] = [];
  const second = new Map<number, number[]>();
  for (let seed = 0; seed < 250; seed++) {
    const { tokens } = await complete(optionsOf({
      engine,
      prompt,
      seed,
      maxTokens: 3,
      rule: token,
      sampling: { temperature: 1 },
      controller: fixed(2),
      drafter: new ProposedDrafter(
        "model",
        new ModelProposer({ ...draft, open: () => draft.open(), close() {} }),
        chain,
      ),
    }));
    first.push(tokens[0]);
    second.set(tokens[0], [...second.get(tokens[0]) ?? [], tokens[1]]);
  }
  let { statistic, freedom } = chiSquare(tally(first), await rowAfter(engine));
  for (const [token, followers] of second) {
    if (followers.length < 15) continue;
    const part = chiSquare(tally(followers), await rowAfter(engine, [token]));
    assert.equal(part.impossible, 0);
    statistic += part.statistic;
    freedom += part.freedom;
  }
  assert.ok(freedom > 8, `${freedom} degrees of freedom`);
  assert.ok(deviate(statistic, freedom) < 4, `chi-square ${statistic}, ${freedom} degrees of freedom`);
});

const DRAWS = 10_000;
const [p, q] = [await rowAfter(engine), await rowAfter(draft)];

/** First tokens that the rule emits at one place of the model, as a deviate from the model's own distribution. */
function drawn(rule: VerificationRule, law: "iid" | "distinct" | "top-and-one"): number {
  const chance = new SeededChance(`${rule.name} ${law}`);
  const said: number[] = [];
  for (let i = 0; i < DRAWS; i++) {
    const tree = drawPlace(q, law, 2, chance);
    const { path, next } = rule.verify(tree, new OnePlace(p, 3), chance);
    said.push(path.length > 0 ? tree.tokens[path[0]] : next);
  }
  const { statistic, freedom, impossible } = chiSquare(tally(said), p);
  assert.equal(impossible, 0);
  return deviate(statistic, freedom);
}

for (
  const [law, rules] of [
    ["iid", [match, token, recursive, kSeq, importance, traversal]],
    ["distinct", [block, recursive, traversal]],
    ["top-and-one", [topAndOne, specHub]],
  ] as const
) {
  for (const rule of rules) {
    test(`tokens drawn by ${rule.name} from drafts of law ${law} have the model's own distribution`, () => {
      const z = drawn(rule, law);
      assert.ok(z < 4, `a deviate of ${z}`);
    });
  }
}

test("tokens drawn by a relaxed rule do not", () => {
  assert.ok(drawn(typical(0.09, 0.3), "iid") > 20);
});

test("a fair die passes and a loaded one does not", () => {
  const die = dense(new Array(6).fill(1 / 6));
  const cast = (weights: number[]) => {
    const chance = new SeededChance("die");
    return tally(Array.from({ length: 6000 }, () => chance.pick(dense(weights))));
  };
  const fair = chiSquare(cast([1, 1, 1, 1, 1, 1]), die);
  const loaded = chiSquare(cast([1, 1, 1, 1, 1, 1.3]), die);
  assert.equal(fair.freedom, 5);
  assert.ok(deviate(fair.statistic, 5) < 4 && deviate(loaded.statistic, 5) > 4);
  assert.equal(chiSquare(new Map([[1, 10]]), dense([1, 0])).impossible, 10);
});
