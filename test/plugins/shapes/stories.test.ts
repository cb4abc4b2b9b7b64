// Every shape with a real draft model: not a byte of what is said changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../../kernels/reference/backend.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { GraftDrafter } from "../../../plugins/drafters/graft.ts";
import { LookupDrafter } from "../../../plugins/drafters/lookup.ts";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { SpineDrafter } from "../../../plugins/drafters/spine.ts";
import { SuccessorProposer } from "../../../plugins/drafters/successors.ts";
import { greedy } from "../../../plugins/rules/greedy.ts";
import { match } from "../../../plugins/rules/match.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import type { Backend, Engine } from "../../../src/backend.ts";
import type { Drafter } from "../../../src/drafter.ts";
import { complete } from "../../../src/round/generate.ts";
import { openModel } from "../../../src/model/open.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { optionsOf } from "../../support/options.ts";
import { allShapes } from "./all.ts";
import { temporaryFolder } from "../../support/folder.ts";

const cacheDir = temporaryFolder();

const load = async (backend: Backend, file: string) =>
  await backend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    threads: 1,
    cacheDir,
  });

const PROMPTS = ["Once upon a time", "Lily had a red ball.", "The dog saw", "Tom and his mom went to", "One day"];

async function tell(
  engine: Engine,
  drafter: Drafter | undefined,
  prompts: readonly string[],
  given: Partial<Parameters<typeof optionsOf>[0]> = {},
) {
  const texts: string[] = [];
  let [accepted, passes] = [0, 0];
  for (const [seed, text] of prompts.entries()) {
    const prompt = engine.source.tokenizer.encode(text, { begin: true });
    const options = { engine, prompt, seed, maxTokens: 32, controller: fixed(8, 4), ...given };
    const { text: told, stats } = await complete(optionsOf({ ...options, ...(drafter && { drafter }) }));
    texts.push(told);
    accepted += stats.accepted;
    passes += stats.passes;
  }
  return { texts, accepted, passes };
}

/** Every shape over one draft model, and the drafters that join it with other sources. */
function drafters(draft: Engine): Drafter[] {
  const proposer = new ModelProposer(draft);
  const { vocab } = draft.source.spec;
  return [
    ...allShapes().map((shape) => new ProposedDrafter(`${shape.name} ${shape.law}`, proposer, shape)),
    new SpineDrafter(new SuccessorProposer(vocab), new LookupDrafter(8, 1), 2),
    new SpineDrafter(proposer, new LookupDrafter(8, 1), 2),
    new GraftDrafter(proposer, new LookupDrafter(8, 1), 0.1),
    new ProposedDrafter("successors", new SuccessorProposer(vocab), allShapes()[3]),
  ];
}

for (const [backend, count] of [[referenceBackend, 1], [onnxBackend, 5]] as const) {
  test(`on ${backend.name} greedy stories are the same with every shape`, async () => {
    const engine = await load(backend, "stories260K.bin");
    const draft = await load(backend, "draft41K-tok512.bin");
    const prompts = PROMPTS.slice(0, count);
    const plain = await tell(engine, undefined, prompts);
    for (const drafter of drafters(draft)) {
      const drafted = await tell(engine, drafter, prompts, { rule: greedy });
      assert.deepEqual(drafted.texts, plain.texts, drafter.name);
      assert.ok(drafted.accepted > 0, `${drafter.name} has ${drafted.accepted} accepted`);
      assert.ok(drafted.passes < plain.passes, `${drafter.name} takes ${drafted.passes} of ${plain.passes} passes`);
    }
    engine.close();
    draft.close();
  });
}

test("on onnx stories drawn with a seed are the same with every shape, and recursive judges all of them", async () => {
  const engine = await load(onnxBackend, "stories260K.bin");
  const draft = await load(onnxBackend, "draft41K-tok512.bin");
  const prompts = PROMPTS.slice(0, 3);
  const sampling = { temperature: 0.9, topP: 0.95 };
  const plain = await tell(engine, undefined, prompts, { rule: match, sampling });
  for (const drafter of drafters(draft)) {
    assert.deepEqual(
      (await tell(engine, drafter, prompts, { rule: match, sampling })).texts,
      plain.texts,
      drafter.name,
    );
    const judged = await tell(engine, drafter, prompts, { rule: recursive, sampling });
    assert.ok(judged.passes < plain.passes, `${drafter.name} takes ${judged.passes} of ${plain.passes} passes`);
  }
  engine.close();
  draft.close();
});
