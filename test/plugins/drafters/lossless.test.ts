// Every drafter that needs no training: the text is that of plain decoding to the last token, greedy and by seed, on an
// engine of random numbers and on a model that tells stories; and what it drafts keeps to its plan and its law.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { onnxBackend } from "../../../kernels/onnx/backend.ts";
import { builtin } from "../../../plugins/builtin.ts";
import { CostController } from "../../../plugins/controllers/cost.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { MarginalController } from "../../../plugins/controllers/marginal.ts";
import { match } from "../../../plugins/rules/match.ts";
import type { Engine } from "../../../src/backend.ts";
import { openModel } from "../../../src/model/open.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import { Registry } from "../../../src/plugins/registry.ts";
import { complete, type GenerateOptions } from "../../../src/round/generate.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { IndexedCorpus, indexOf } from "../../../src/store/corpus.ts";
import { optionsOf } from "../../support/options.ts";
import { TableEngine } from "../../support/table-engine.ts";
import { temporaryFolder } from "../../support/folder.ts";

const SPECS = [
  "lookup",
  "lookup?branches=3",
  "suffix",
  "recycling",
  "pool?size=2",
  "trigram",
  "stand",
  "hierarchy?length=2&last=recycling",
  "lookahead",
  "cascade:lookup,recycling",
  "merge:lookup,recycling,suffix",
  "spine:recycling",
  "graft:trigram?retrieval=suffix",
  "ouroboros:model:draft",
  "cascade:lookup,suffix?reviewer=(model:draft)",
  "rest?shortest=1",
  "rasd:recycling",
  "toolspec",
];

/** Those that draft with the target itself need an engine that lets them in. */
const INSIDE = ["skip?attention=3", "exit?layer=4", "swift?window=8&ratio=0.3", "clasp?skipped=1&every=8"];

const cacheDir = temporaryFolder();
const registry = new Registry(builtin);

/** `texts` are in the store; `draft`: the engine of the model that a spec calls draft. */
function contextOf(
  target: Engine,
  texts: readonly (readonly number[])[],
  draft: () => Promise<Engine>,
): PluginContext {
  const { vocab } = target.source.spec;
  const corpus = new IndexedCorpus(vocab);
  corpus.indexes = [indexOf(texts, vocab)];
  const context: PluginContext = {
    target,
    corpus: () => corpus,
    loadModel: draft,
    resolve: (kind, spec) => registry.resolve(kind, spec, context),
  };
  return context;
}

const CONTROLLERS: readonly (() => GenerateOptions["controller"])[] = [
  () => fixed(12, 4),
  () => new CostController(16),
  () => new MarginalController(24),
];

for (const spec of SPECS) {
  test(`${spec}: on random scores the text is that of plain decoding, over several texts of one drafter`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat({ max: 2 }), fc.constantFrom(0, 0.8), async (seed, which, temperature) => {
        const can = { exact: seed % 2 === 0 ? "trees" : "chains" } as const;
        const other = () => Promise.resolve(new TableEngine({ seed: seed % 3, vocab: 9, order: 1 }));
        const engine = new TableEngine({ seed, vocab: 9, order: 1 + seed % 2, can, treeNoise: seed % 2, ends: [8] });
        const drafter = await registry.resolve(
          "drafter",
          spec,
          contextOf(engine, [[1, 2, 3, 4, 1, 2, 5, 8], [3, 1, 4, 1, 5]], other),
        );
        const controller = CONTROLLERS[which]();
        const rule = temperature > 0 ? { rule: match } : {};
        for (const prompt of [[1, 2, 1], [3], [1, 2, 1, 2]]) {
          const options = () => optionsOf({ engine, prompt, seed, maxTokens: 24, sampling: { temperature }, ...rule });
          const plain = await complete(options());
          assert.deepEqual((await complete({ ...options(), drafter, controller })).tokens, plain.tokens);
        }
        drafter.close?.();
      }),
      { numRuns: 4 },
    );
  });
}

test("no byte of ten stories differs, whoever drafts", async () => {
  const load = async (file: string) =>
    await onnxBackend.load(await openModel(fixture(`stories260k/${file}`)), {
      format: "float32",
      strict: true,
      threads: 1,
      cacheDir,
    });
  const engine = await load("stories260K.bin");
  const beginnings = [
    "Once upon a time",
    "Lily",
    "The dog saw",
    "Tom and Tom and",
    "One day",
    "Ben was",
    "A",
    "He had a",
    "She said",
    "The end. The",
  ];
  const tell = async (drafter?: GenerateOptions["drafter"]) => {
    const texts: string[] = [];
    let accepted = 0;
    for (const beginning of beginnings) {
      const prompt = engine.source.tokenizer.encode(beginning, { begin: true });
      const given = drafter && { drafter, controller: fixed(10, 5) };
      const { text, stats } = await complete(optionsOf({ engine, prompt, maxTokens: 24, ...given }));
      texts.push(text);
      accepted += stats.accepted;
    }
    return { texts, accepted };
  };
  const plain = await tell();
  for (const spec of [...SPECS, ...INSIDE]) {
    const told = plain.texts.map((text) => [...engine.source.tokenizer.encode(text)]);
    const context = contextOf(engine, told, () => load("draft41K-tok512.bin"));
    const drafter = await registry.resolve("drafter", spec, context);
    const { texts, accepted } = await tell(drafter);
    assert.deepEqual(texts, plain.texts, spec);
    assert.ok(accepted > 3, `${spec}: ${accepted} accepted`);
    drafter.close?.();
  }
  engine.close();
});
