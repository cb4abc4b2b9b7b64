// transformers.js behind the line protocol of bench/worker.ts, under Node, on its processor backend (onnxruntime-node). The
// model is a folder as it reads it; see ../transformers-model.ts.
import { basename, dirname } from "node:path";
import { answer } from "../answer.mjs";
import { AutoModelForCausalLM, env, Tensor } from "@huggingface/transformers";

let model;

const commands = {
  async load({ folder, threads }) {
    env.allowRemoteModels = false;
    env.localModelPath = `${dirname(folder)}/`;
    model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
      device: "cpu",
      dtype: "fp32", // which file to read; its products have the weights' own bits
      use_external_data_format: true,
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    });
    return {};
  },

  /** Greedy text after the prompt's ids by the API that its users use. */
  async generate({ prompt, max }) {
    const ids = new Tensor("int64", BigInt64Array.from(prompt, BigInt), [1, prompt.length]);
    const mask = new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), [1, prompt.length]);
    const tokens = [];
    const started = performance.now();
    let first = NaN, seen = false;
    const streamer = {
      put([ids]) {
        if (!seen) return void (seen = true); // the prompt
        if (tokens.length === 0) first = performance.now() - started;
        tokens.push(...ids.map(Number));
      },
      end() {},
    };
    await model.generate({ inputs: ids, attention_mask: mask, max_new_tokens: max, do_sample: false, streamer });
    return { tokens, firstMs: first, ms: performance.now() - started };
  },
};

await answer(commands);
