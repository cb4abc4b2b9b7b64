// The target drafts itself with blocks left out: in its own sequence, each row once, and without a trace.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DraftExitController } from "../../../plugins/controllers/draft-exit.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { BEGINNINGS } from "../../../plugins/drafters/block-texts.ts";
import { draftingSpeed } from "../../../plugins/drafters/drafting-speed.ts";
import { SelfProposer } from "../../../plugins/drafters/self.ts";
import { layersOf, skipProposer } from "../../../plugins/drafters/skip.ts";
import { match } from "../../../plugins/rules/match.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { token } from "../../../plugins/rules/token.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import type { Engine } from "../../../src/backend.ts";
import { proveDrafter } from "../../../src/check/drafters.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { WrittenEngine } from "../../../src/check/written.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { point } from "../../../src/math/distribution.ts";
import { complete } from "../../../src/round/generate.ts";
import { chainTree } from "../../../src/tree.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { contextOf, storyEngine } from "../../support/inside.ts";
import { optionsOf } from "../../support/options.ts";
import { roundOf } from "../../support/rounds.ts";
import { TableEngine } from "../../support/table-engine.ts";

const NOTHING = { attention: [], feedForward: [] };
const engine = await storyEngine();
const PROMPTS = ["Once upon a time", "Lily had a red ball."].map((text) =>
  engine.source.tokenizer.encode(text, { begin: true })
);

const SPECS = [
  "skip?attention=2,3&feedForward=3",
  "skip?attention=1&shape=(top-k?widths=2,2)",
  "skip?feedForward=1-2&shape=opt-tree",
  "spine:(skip?attention=3)",
  "graft:(skip?attention=3)",
  "cascade:lookup,(skip?attention=3)",
  "cascade:lookup,recycling?reviewer=(skip?attention=3)",
  "merge:lookup,(skip?attention=3)",
  "hierarchy?last=(skip?attention=3)",
  "ouroboros:(skip?attention=3)",
  "toolspec?fields=(skip?attention=3)",
  "swift?window=4&ratio=0.3",
  "swift?window=4&ratio=0.3&shape=(top-k?widths=2,1)",
  "clasp?skipped=1&every=4",
  "spine:(clasp?skipped=1&every=4)",
  "exit?layer=4",
  "del?exits=4",
  "merge:lookup,(del?shape=opt-tree)",
];

for (const spec of SPECS) {
  test(`${spec}: the text is that of plain decoding, greedy and by seed`, async () => {
    const drafter = await contextOf(engine).resolve("drafter", spec);
    let accepted = 0;
    for (const prompt of PROMPTS) {
      for (const sampled of [{}, { rule: match, sampling: { temperature: 0.8, topP: 0.9 } }]) {
        const options = () => optionsOf({ engine, prompt, maxTokens: 12, controller: fixed(5, 3), ...sampled });
        const plain = await complete(options());
        const { tokens, stats } = await complete({ ...options(), drafter });
        assert.deepEqual(tokens, plain.tokens);
        accepted += stats.accepted;
      }
    }
    const least = spec.startsWith("del") ? 1 : 4; // an untrained layer is seldom right
    assert.ok(accepted >= least, `${accepted} accepted`);
  });
}

test("every row of a chain runs once, in the target's sequence, which is left as it was", async () => {
  const lengths: number[] = [];
  const table = new TableEngine({
    seed: 4,
    can: { skip: true },
    onPass: ({ tokens, skip }, { length }) => void (skip && lengths.push(length, tokens.length)),
  });
  const drafter = new ProposedDrafter("self", new SelfProposer("self", table, () => NOTHING), chain);
  const { stats } = await complete(optionsOf({ engine: table, drafter, controller: fixed(4), maxTokens: 50 }));
  assert.equal(stats.accepted, stats.drafted, "it is the target, and always right");
  // Ten rounds of five tokens; in each the root and three drafted tokens, one row each.
  const expected = Array.from({ length: 10 }, (_, round) => [0, 1, 2, 3].flatMap((i) => [2 + 5 * round + i, 1])).flat();
  assert.deepEqual(lengths, expected);
  assert.equal(table.opened, 0, "no other sequence is left open");
});

test("what a shape throws leaves the sequence as it was", async () => {
  const table = new TableEngine({ can: { skip: true } });
  const failing = {
    ...chain,
    grow: async (...all: Parameters<typeof chain.grow>) => {
      await chain.grow(...all);
      throw new Error("broken");
    },
  };
  const drafter = new ProposedDrafter("self", new SelfProposer("self", table, () => NOTHING), failing);
  const sequence = table.open();
  await assert.rejects(complete(optionsOf({ engine: table, drafter, sequence })), /broken/);
  assert.equal(sequence.length, 2);
});

test("an engine that leaves out no blocks is refused in one line", async () => {
  await assert.rejects(
    contextOf(new TableEngine()).resolve("drafter", "skip"),
    { message: "table leaves out no blocks of a model, and skip drafts by them", kind: "unavailable" },
  );
});

for (
  const [spec, rule] of [
    ["skip?attention=1,2", token],
    ["skip?attention=1,2&shape=(gumbel?widths=2,1)", recursive],
    ["swift?ratio=0.5", token],
    ["clasp?skipped=2", token],
    ["exit?layer=1", token],
    ["del?exits=3", token],
    ["knn-ssd?sets=1", token],
  ] as const
) {
  test(`${spec} is lossless as it is drawn`, async () => {
    const make = (target: Engine) => contextOf(target).resolve("drafter", spec);
    const [report] = await proveDrafter(make, [rule], { kinds: ["random", "mixed"] });
    assert.ok(report.cases > 10 && report.worst <= EXACT && report.failure === undefined, JSON.stringify(report));
    assert.ok(report.accepted > 0.3, `${report.accepted} accepted`);
  });
}

const LETTERS = Array.from({ length: 26 }, (_, i) => Uint8Array.of(97 + i));

function lettersEngine(context: number): WrittenEngine {
  return new WrittenEngine(LETTERS, (text) => point(26, (text.length * 7) % 26), { layers: 3, context });
}

test("texts that are longer than a pass have anchors, and a context without room for them is told of", async () => {
  const engine = lettersEngine(512);
  assert.ok(BEGINNINGS.summary.some((text) => text.replace(/[^a-z]/g, "").length > engine.maxRows));
  await contextOf(engine).resolve("drafter", "knn-ssd?sets=1");
  for (const spec of ["knn-ssd?sets=1", "skip?sets=1", "skip?sets=1&attention=,"]) {
    await assert.rejects(contextOf(lettersEngine(64)).resolve("drafter", spec), {
      kind: "usage",
      message: /^blocks are searched for with texts of \d+ tokens, and the context has 64$/,
    });
  }
});

test("layers that the model does not have are refused, not passed over", async () => {
  const context = contextOf(engine);
  await assert.rejects(context.resolve("drafter", "exit?layer=5"), {
    kind: "usage",
    message: /no exit: the model has 5/,
  });
  await assert.rejects(context.resolve("drafter", "clasp?skipped=6"), { kind: "usage", message: /left out of 5/ });
});

test("the blocks are searched for once a model, and a damaged file costs a search", async () => {
  const cacheDir = temporaryFolder();
  const steps: string[] = [];
  const written = lettersEngine(512);
  const open = async () => {
    const context = { ...contextOf(written, [], cacheDir), progress: (step: string) => void steps.push(step) };
    await skipProposer.create({ attention: "", feedForward: "", sets: 3 }, "", context);
    return steps.splice(0).length;
  };
  assert.equal(await open(), 4, "the beginning and three sets");
  assert.equal(await open(), 0, "known by now");
  const [file] = readdirSync(join(cacheDir, "blocks"));
  writeFileSync(join(cacheDir, "blocks", file), '{"attention": [7], "feedForward": []}');
  assert.equal(await open(), 4, "there is no layer 7");
});

test("layers are named by numbers and ranges", () => {
  assert.deepEqual(layersOf(" 4, 1-2,2 ", 5), [1, 2, 4]);
  for (const list of ["5", "2-1", "a", "1-", "-1"]) {
    assert.throws(() => layersOf(list, 5), { kind: "usage", message: `"${list}" names no layers of this model` });
  }
});

test("the speed of drafting is that of its rounds, by hand", () => {
  const costs = { one: 10, wide: 14, attention: 1, feedForward: 2 };
  const skip = { attention: [0, 1], feedForward: [3] };
  const place = (right: boolean, sure: number) => ({ right, sure });
  // Two right ones; the second is doubtful and ends the draft. Then a wrong one, and one behind it that is not judged.
  const places = [place(true, 0.9), place(true, 0.2), place(true, 0.9), place(false, 0.9), place(true, 0.1)];
  // Draft 2 (6 each) and verify (10 + 4 · 2/4): 24 ms for 3 tokens. Draft 2, the second doubtful: 24 ms for 1 token, the
  // wrong one's; then draft 1 (6) and verify (11): 17 ms for the last and one behind it.
  const time = 24 + 24 + 17;
  assert.equal(draftingSpeed(places, skip, costs, { most: 4, threshold: 0.5 }), 6 / time);
});

test("the threshold of draft-exit follows what is accepted, by the paper's formulas", () => {
  const controller = new DraftExitController(0.6, 0.9, 4);
  const sees = (drafted: number, accepted: number) => {
    const tree = chainTree(Int32Array.from({ length: drafted }, (_, i) => i));
    controller.observe(roundOf(tree, Array.from({ length: accepted }, (_, i) => i), 9));
    return controller.threshold;
  };
  assert.equal(sees(0, 0), 0.6, "nothing was drafted");
  let threshold = 0.6;
  let rate = 0;
  for (const [drafted, accepted] of [[4, 2], [3, 3], [2, 2], [2, 2], [2, 2], [4, 4], [2, 0]]) {
    rate = 0.5 * rate + 0.5 * accepted / drafted;
    const wanted = rate < 0.9 ? threshold + 0.01 : drafted === 4 ? threshold : threshold - 0.01;
    threshold = 0.9 * threshold + 0.1 * wanted;
    assert.ok(Math.abs(sees(drafted, accepted) - threshold) < 1e-12);
  }
  const { goOn, raw } = controller.plan();
  const sure = (p: number) => ({ vocab: 2, probabilities: Float64Array.of(p, 1 - p) });
  assert.deepEqual([raw, goOn!(sure(0.7), 1), goOn!(sure(0.55), 2)], [true, true, "last"]);
});
