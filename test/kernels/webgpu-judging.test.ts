// Verdicts that come with the pass: those of the rules in TypeScript, for a few bytes. Skipped where no adapter works.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import type { WebGpuEngine } from "../../kernels/webgpu/engine.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { block } from "../../plugins/rules/block.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { token } from "../../plugins/rules/token.ts";
import { topAndOne } from "../../plugins/rules/top-and-one.ts";
import { typical } from "../../plugins/rules/typical.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import type { Engine } from "../../src/backend.ts";
import { mostUniforms } from "../../src/device-rule.ts";
import { complete } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { GREEDY } from "../../src/sampling.ts";
import { sampledPass } from "../../src/round/sampled-scores.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { optionsOf } from "../support/options.ts";
import { part } from "../support/part.ts";
import { fixture } from "./support/golden.ts";
import { holdGpu } from "./support/gpu.ts";
import { expectOwnVerdicts } from "./support/own-verdicts.ts";
import { randomFrom } from "./support/random.ts";
import { randomModel } from "./support/random-model.ts";
import { randomCase } from "./support/rule-cases.ts";

const skip = await holdGpu(after);
const RULES = [greedy, token, block, recursive, topAndOne, typical(0.09, 0.3)];
const { source } = randomModel(5, { spec: { context: 64 } });
const load = async () =>
  await webgpuBackend.load(source, { format: "auto", strict: true, cacheDir: "" }) as WebGpuEngine;

test("verdicts on the GPU's own scores are the rules', and take as much from the chance", { skip }, async () => {
  const engine = await load();
  const dice = randomFrom(11);
  await expectOwnVerdicts(engine, RULES, (law) => randomCase(source.spec.vocab, 6, law, dice).tree, 3);
  engine.close();
});

test("a round that the GPU judges is one submit, and reads back a few words", { skip }, async () => {
  const engine = await load();
  const sequence = engine.open();
  for (const rule of [greedy, token]) {
    const rows = { tokens: Int32Array.of(3) };
    const verify = {
      rule: rule.device!,
      tree: EMPTY_TREE,
      uniforms: new Float64Array(mostUniforms(EMPTY_TREE)).fill(0.5),
    };
    const sampling = { ...GREEDY, temperature: rule.greedy ? 0 : 1 };
    const before = { ...engine.counts };
    const scores = await sampledPass(sequence, rows, sampling, rows.tokens, EMPTY_TREE, { verify });
    assert.equal(engine.counts.submits - before.submits, 1);
    assert.ok(engine.counts.readBytes - before.readBytes <= 64, `${engine.counts.readBytes - before.readBytes} bytes`);
    assert.throws(() => scores.argmax(0), /still on the device/);
    await scores.load();
    const loaded = scores.argmax(0);
    const without = await sampledPass(sequence, rows, sampling, rows.tokens, EMPTY_TREE);
    assert.equal(loaded, without.argmax(0), "everything is there once it was loaded");
  }
  engine.close();
});

/** The same engine, but rules in TypeScript judge. */
function withoutRules(engine: Engine): Engine {
  const { name, source, format, context, maxRows, can } = engine;
  return {
    ...{ name, source, format, context, maxRows, can: { ...can, deviceRules: [] } },
    open: () => engine.open(),
    cost: (width) => engine.cost(width),
    calibrate: () => engine.calibrate(),
    close: () => engine.close(),
  };
}

const SAMPLINGS = {
  "at temperature 0.8": { temperature: 0.8 },
  "with top-k and top-p": { temperature: 0.8, topK: 40, topP: 0.9 },
  "with a top-p that 64 tokens do not reach": { temperature: 4, topP: 0.95 },
  "with a penalty": { temperature: 0.8, repetitionPenalty: 1.2 },
};

/** Opened once: a device in software takes long to load and to measure. */
let stories: ReturnType<typeof openStories> | undefined;
after(async () => {
  const opened = await stories;
  opened?.target.close();
  opened?.draft.close();
});

async function openStories() {
  const open = async (file: string) =>
    await webgpuBackend.load(await openModel(fixture(`stories260k/${file}`)), {
      format: "auto",
      strict: true,
      context: 64,
      cacheDir: "",
    }) as WebGpuEngine;
  const [target, draft] = [await open("stories260K-f32.gguf"), await open("draft41K-tok512.bin")];
  await target.calibrate(); // or the first text would, and its bytes would count
  return { target, draft };
}

for (const [name, sampling] of part(Object.entries(SAMPLINGS), 1)) {
  test(`a seed gives the same text whoever judges, ${name}`, { skip }, async () => {
    const { target, draft } = await (stories ??= openStories());
    const blind = withoutRules(target);
    const prompt = target.source.tokenizer.encode("Once upon a time");
    for (const rule of [token, block, typical(0.09, 0.3)]) {
      const text = async (engine: Engine) => {
        const proposer = new ModelProposer(draft, engine);
        const drafter = new ProposedDrafter("model", proposer, chain);
        const options = { engine, prompt, rule, sampling, drafter, controller: fixed(3), maxTokens: 16 };
        return (await complete(optionsOf(options))).tokens;
      };
      const before = target.counts.readBytes;
      const verified = await text(target);
      const fewer = target.counts.readBytes - before;
      assert.deepEqual(verified, await text(blind), rule.name);
      const more = target.counts.readBytes - before - fewer;
      const onDevice = name === "at temperature 0.8";
      assert.ok(onDevice ? fewer * 4 < more : fewer === more, `${rule.name}: ${fewer} and ${more} bytes read back`);
    }
  });
}
