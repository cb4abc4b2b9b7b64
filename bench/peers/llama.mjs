// node-llama-cpp behind the line protocol of bench/worker.ts, under Node, its own runtime. Passes and plain decoding go
// through the lowest layer it has (batches of the native context), so that nothing but llama.cpp itself is timed.
import { answer } from "./answer.mjs";
import { readFileSync } from "node:fs";
import { DraftSequenceTokenPredictor, getLlama, InputLookupTokenPredictor, LlamaLogLevel } from "node-llama-cpp";

let model, context, native, sampler, threads, draft, filled = -1;

const commands = {
  /** `gpu`: `vulkan`, or false for the processor. Throws where the model does not come to lie on a GPU that was asked for. */
  async load({ path, threads: wanted, context: size, gpu = false, draft: small }) {
    const started = performance.now();
    const llama = await getLlama({ gpu, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error })
      .catch((error) => {
        throw new Error(`no binary of llama.cpp for ${gpu || "the processor"} runs here: ${error.message || error}`);
      });
    const devices = gpu ? await llama.getGpuDeviceNames() : [];
    if (gpu && devices.length === 0) throw new Error(`llama.cpp finds no device for ${gpu}`);
    threads = wanted;
    model = await llama.loadModel({ modelPath: path, gpuLayers: gpu ? "max" : 0 });
    if (gpu && model.gpuLayers === 0) throw new Error(`llama.cpp puts no layer on ${devices.join(", ")}`);
    context = await model.createContext({
      contextSize: size,
      batchSize: 512,
      threads: { ideal: threads, min: threads },
    });
    if (small !== undefined) {
      const second = await llama.loadModel({ modelPath: small, gpuLayers: gpu ? "max" : 0 });
      draft = await second.createContext({ contextSize: size, threads: { ideal: threads, min: threads } });
    }
    native = context._ctx;
    native.setThreads(threads);
    sampler = new llama._bindings.AddonSampler(model._model);
    sampler.applyConfig({ temperature: 0 });
    return { ms: performance.now() - started, devices, gpuLayers: model.gpuLayers };
  },

  /** Milliseconds of `repeat` passes over `rows` rows, scores of every row, after `past` tokens. */
  async pass({ rows, past, repeat, tokens: text }) {
    await fill(past, text);
    const all = Uint32Array.from({ length: rows }, (_, row) => row);
    const ms = [];
    for (let i = 0; i < repeat; i++) {
      const tokens = text
        ? Uint32Array.from(text.slice(past + i, past + i + rows))
        : Uint32Array.from({ length: rows }, (_, row) => 1000 + (i * 37 + row * 101) % 40000);
      native.initBatch(rows);
      const started = performance.now();
      native.addToBatch(0, past, tokens, all);
      await native.decodeBatch();
      ms.push(performance.now() - started);
      native.removeTokenCellsFromSequence(0, past, past + rows);
    }
    return { ms };
  },

  /** Milliseconds of each of `count` greedy steps, choosing the token included, after `past` tokens; and the tokens. */
  async plain({ past, count, tokens: given }) {
    await fill(past, given);
    const ms = [], text = [];
    let token = given?.[past] ?? 1000;
    for (let i = 0; i < count; i++) {
      const started = performance.now();
      native.initBatch(1);
      const [index] = native.addToBatch(0, past + i, Uint32Array.of(token), Uint32Array.of(0));
      await native.decodeBatch();
      token = await native.sampleToken(index, sampler);
      ms.push(performance.now() - started);
      text.push(token);
    }
    filled = -1;
    return { ms, text };
  },

  /**
   * Greedy text after the prompt's ids by the API that its users use; with `lookup`, its own prompt lookup; with
   * `drafted`, the second model that was loaded.
   */
  async generate({ prompt, max, lookup, drafted }) {
    if (filled >= 0) native.disposeSequence(0);
    filled = -1;
    const small = drafted ? draft.getSequence() : undefined;
    const tokenPredictor = lookup
      ? new InputLookupTokenPredictor()
      : small
      ? new DraftSequenceTokenPredictor(small)
      : undefined;
    const sequence = context.getSequence(tokenPredictor ? { tokenPredictor } : {});
    const tokens = [];
    const started = performance.now();
    let first = NaN;
    for await (const token of sequence.evaluate([...prompt], { temperature: 0 })) {
      if (tokens.length === 0) first = performance.now() - started;
      tokens.push(token);
      if (tokens.length >= max || model.isEogToken(token)) break;
    }
    const ms = performance.now() - started;
    await sequence.dispose();
    await small?.dispose();
    return { tokens, firstMs: first, ms };
  },

  memory() {
    const status = readFileSync("/proc/self/status", "utf8");
    return { peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  },
};

/** Puts `past` tokens into the cache, unless they are there. */
async function fill(past, text) {
  if (filled === past) return;
  native.disposeSequence(0);
  const tokens = Uint32Array.from({ length: past }, (_, i) => text?.[i] ?? 500 + (i * 131) % 40000);
  for (let at = 0; at < past; at += 256) {
    const part = tokens.subarray(at, Math.min(past, at + 256));
    native.initBatch(part.length);
    native.addToBatch(0, at, part, Uint32Array.of(part.length - 1));
    await native.decodeBatch();
  }
  filled = past;
}

await answer(commands);
