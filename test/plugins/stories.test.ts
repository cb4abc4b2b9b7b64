// A real model that tells stories, and a smaller one that drafts for it: 200 prompts, the same text to the last byte.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { CostController } from "../../plugins/controllers/cost.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { LookupDrafter } from "../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { match } from "../../plugins/rules/match.ts";
import { token } from "../../plugins/rules/token.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import type { Backend, Engine } from "../../src/backend.ts";
import type { Drafter } from "../../src/drafter.ts";
import { complete } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { refuseOtherVocabulary } from "../../src/draft/vocabulary.ts";
import { fixture } from "../kernels/support/golden.ts";
import { optionsOf } from "../support/options.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

const load = async (backend: Backend, file: string) =>
  await backend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    threads: 1,
    cacheDir,
  });

/** 200 beginnings of stories. */
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
const WHAT = ["", " was", " liked to play", " went to the park", " saw a red ball", " had a"];
const HOW = ["", " very", " happy and", " with a friend."];
const PROMPTS = WHO.flatMap((who) => WHAT.flatMap((what) => HOW.map((how) => who + what + how))).slice(0, 200);

/** Texts of all prompts, with how many drafted tokens stood. */
async function tell(
  engine: Engine,
  drafter: Drafter | undefined,
  given: Partial<Parameters<typeof optionsOf>[0]> = {},
  prompts = PROMPTS,
) {
  const texts: string[] = [];
  let accepted = 0;
  for (const [seed, text] of prompts.entries()) {
    const prompt = engine.source.tokenizer.encode(text, { begin: true });
    const { text: told, stats } = await complete(
      optionsOf({ engine, prompt, seed, maxTokens: 24, ...(drafter && { drafter }), ...given }),
    );
    texts.push(told);
    accepted += stats.accepted;
  }
  return { texts, accepted };
}

test("on ONNX Runtime, lookup and a draft model change no byte of 200 greedy stories", async () => {
  const engine = await load(onnxBackend, "stories260K.bin");
  const draft = await load(onnxBackend, "draft41K-tok512.bin");
  refuseOtherVocabulary(engine.source, draft.source);
  const model = new ProposedDrafter("model", new ModelProposer(draft), chain);
  const plain = await tell(engine, undefined);
  assert.equal(new Set(PROMPTS).size, 200);
  const looked = await tell(engine, new LookupDrafter(8, 1), { rule: token, controller: new CostController(16) });
  const drafted = await tell(engine, model, { rule: greedy, controller: fixed(4) });
  assert.deepEqual(looked.texts, plain.texts);
  assert.deepEqual(drafted.texts, plain.texts);
  assert.ok(looked.accepted > 100 && drafted.accepted > 1000, `${looked.accepted} and ${drafted.accepted} accepted`);

  const sampling = { temperature: 0.9, topP: 0.95 };
  const some = PROMPTS.slice(0, 40);
  const sampled = await tell(engine, undefined, { rule: match, sampling }, some);
  const sampledDraft = await tell(engine, model, { rule: match, sampling, controller: fixed(3) }, some);
  assert.deepEqual(sampledDraft.texts, sampled.texts);
  assert.notDeepEqual(sampled.texts, plain.texts.slice(0, 40));
  model.close();
  engine.close();
});

test("the same two models from GGUF and llama2.c on the reference engine draft for each other", async () => {
  const engine = await load(referenceBackend, "stories260K-f32.gguf");
  const draft = await load(referenceBackend, "draft41K-tok512.bin");
  refuseOtherVocabulary(engine.source, draft.source);
  const prompt = engine.source.tokenizer.encode("Once upon a time", { begin: true });
  const plain = await complete(optionsOf({ engine, prompt, maxTokens: 40 }));
  const drafter = new ProposedDrafter("model", new ModelProposer(draft), chain);
  const drafted = await complete(optionsOf({ engine, prompt, maxTokens: 40, drafter, controller: fixed(3) }));
  assert.equal(drafted.text, plain.text);
  assert.ok(drafted.stats.accepted > 10);
  drafter.close();
});
