// Every architecture generates with `lookup`, greedy: token by token the text that it generates without, in every
// weight format that fits it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { LookupDrafter } from "../../plugins/drafters/lookup.ts";
import type { Engine } from "../../src/backend.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { UnsupportedError } from "../../src/errors.ts";
import { complete } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { TINY, tinyFiles, tinyTexts } from "../kernels/support/golden.ts";
import { numberTokenizer } from "../kernels/support/memory-source.ts";
import { optionsOf } from "../support/options.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

/** Where the rotation of int8 does not fold: norms that subtract a mean, norms behind matrices, experts. */
const WITHOUT_INT8 = ["cohere2", "exaone4", "gemma2", "gemma3", "gemma3-images", "glm4", "gpt2", "gpt_neox", "olmo2"]
  .concat(["gpt_oss", "mixtral", "olmo3", "olmoe", "qwen3_moe"]);

/** Both texts that the fixture has, and one that repeats itself, so that lookup finds something. */
function prompts(name: string): Int32Array[] {
  const [first, second] = tinyTexts(name).map(({ tokens }) => tokens);
  const part = [...first.subarray(0, 8)];
  return [first, second, Int32Array.from([...part, ...part, ...part.slice(0, 3)])];
}

/** What `model` says after each prompt, and how many drafted tokens it kept. */
async function say(engine: Engine, name: string, drafter?: LookupDrafter) {
  const texts: number[][] = [];
  let [drafted, accepted] = [0, 0];
  for (const prompt of prompts(name)) {
    const options = optionsOf({ engine, prompt, maxTokens: 32, ...drafter && { drafter, controller: fixed(5) } });
    const { tokens, stats } = await complete(options);
    texts.push([...tokens]);
    drafted += stats.drafted;
    accepted += stats.accepted;
  }
  return { texts, drafted, accepted };
}

for (const name of TINY) {
  // GGUF where there is one: architectures.test.ts shows that the folder is the same model.
  for (const { kind, path } of tinyFiles(name).slice(-1)) {
    test(`${name} from its ${kind} says the same with lookup and without, in every format that fits it`, async () => {
      const source = await openModel(path);
      // The vocabularies of these models are dummies, or missing; numbers serve as well, and nothing ends a text.
      Object.defineProperty(source, "tokenizer", { value: numberTokenizer(source.spec.vocab) });
      for (const format of WEIGHT_FORMATS) {
        const engine = await load(source, format);
        if (engine === undefined) {
          assert.ok(format === "int8" && WITHOUT_INT8.includes(name), `${format} is refused`);
          continue;
        }
        const plain = await say(engine, name);
        const looked = await say(engine, name, new LookupDrafter(8, 1));
        assert.deepEqual(looked.texts, plain.texts, format);
        assert.ok(plain.texts.every((tokens) => tokens.length === 32), `${format} ended early`);
        assert.ok(looked.drafted > 0, `${format}: nothing was drafted`);
        engine.close();
      }
      source.close();
    });
  }
}

async function load(source: Awaited<ReturnType<typeof openModel>>, format: WeightFormat): Promise<Engine | undefined> {
  try {
    return await onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
