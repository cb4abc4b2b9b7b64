// A draft model on the processor goes on while the target's pass runs on the GPU. Without an adapter this is skipped.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { match } from "../../plugins/rules/match.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import type { Backend, Engine } from "../../src/backend.ts";
import { complete } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { optionsOf } from "../support/options.ts";
import { holdGpu } from "./support/gpu.ts";

const skip = await holdGpu(after);
const FOLDER = new URL("../fixtures/stories260k/", import.meta.url).pathname;

async function load(backend: Backend, file: string): Promise<Engine> {
  const source = await openModel(FOLDER + file);
  after(() => source.close());
  return await backend.load(source, { format: "auto", strict: true, context: 64, cacheDir: "" });
}

// Few tokens: a software adapter is slow.
const cases = {
  greedy: {},
  "sampled with a seed": { rule: match, sampling: { temperature: 0.8 } },
};
for (const [name, options] of Object.entries(cases)) {
  test(`on a GPU ${name} text is the same with a draft model that goes on meanwhile`, { skip }, async () => {
    const target = await load(webgpuBackend, "stories260K-f32.gguf");
    const draft = await load(referenceBackend, "draft41K-tok512.bin");
    const proposer = new ModelProposer(draft, target);
    let ahead = 0;
    const { anticipate } = proposer;
    proposer.anticipate = (chain, more) =>
      anticipate.call(proposer, chain, async () => {
        const goesOn = await more();
        if (goesOn) ahead++;
        return goesOn;
      });
    const prompt = target.source.tokenizer.encode("Once upon a time");
    const common = { ...options, engine: target, prompt, maxTokens: 7 };
    const drafter = new ProposedDrafter("model", proposer, chain);
    const drafted = await complete(optionsOf({ ...common, drafter, controller: fixed(3) }));
    assert.deepEqual(drafted.tokens, (await complete(optionsOf(common))).tokens);
    assert.ok(drafted.stats.accepted > 0);
    assert.ok(ahead > 0);
    proposer.close();
    target.close();
  });
}
