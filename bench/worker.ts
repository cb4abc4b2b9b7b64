// hunch as a process that is measured: one line of JSON asks, one line answers. See child.ts.
import { readFileSync } from "node:fs";
import { fill, PassTimer, type Place, spreadTokens } from "../cli/bench/passes/timer.ts";
import { promptOf } from "../cli/input/prompt.ts";
import { Session } from "../cli/engine/session.ts";
import { findAdapter } from "../kernels/webgpu/adapter.ts";
import { webgpuBackend } from "../kernels/webgpu/backend.ts";
import { Device } from "../kernels/webgpu/device.ts";
import { WebGpuEngine } from "../kernels/webgpu/engine.ts";
import { weightBytes } from "../kernels/webgpu/matrix.ts";
import type { Need, Rows } from "../src/backend.ts";
import type { WeightFormat } from "../src/weight-format.ts";
import type { ModelSource } from "../src/model/source.ts";
import { GREEDY } from "../src/sampling.ts";
import type { Stats } from "../src/stats.ts";
import { serve } from "./serve.ts";

export interface Load {
  readonly path: string;
  readonly threads?: number;
  readonly context: number;
  readonly format?: WeightFormat | "auto";
  readonly drafter?: string;
  /** `onnx` where absent. */
  readonly backend?: string;
}

/** What hunch and node-llama-cpp tell of a text; the latter has no `stats`. */
export interface Generated {
  readonly tokens: number[];
  /** From the call to the first token, and to the last. */
  readonly firstMs: number;
  readonly ms: number;
  readonly stats: Stats;
}

export interface PassRequest {
  readonly rows: number;
  readonly past: number;
  readonly repeat: number;
  readonly need?: Need;
  readonly tokens?: number[];
  /** What is asked of the inside of the model; hidden states are read. */
  readonly inside?: Pick<Rows, "taps" | "skip">;
}

export interface PlainRequest {
  readonly past: number;
  readonly count: number;
  readonly tokens?: number[];
}

/** What a GPU says of itself, and what the engine made of it. */
export interface Gpu {
  readonly name: string;
  readonly info: Readonly<Record<string, string>>;
  /** A processor that plays a GPU: its times say nothing. */
  readonly software: boolean;
  readonly offered: readonly string[];
  readonly used: readonly string[];
  /** Of the weights that a pass reads, and of everything. */
  readonly weightBytes: number;
  readonly memoryBytes: number;
}

let session: Session, timer: PassTimer | undefined, gpuShare: Device | undefined;

const commands = {
  async load({ path, threads, context, format = "auto", drafter = "none", backend = "onnx" }: Load) {
    const started = performance.now();
    session = await Session.open({
      model: path,
      backend,
      format,
      strict: true,
      context,
      threads,
      drafter,
      rule: undefined,
      controller: undefined,
      plugins: [],
      overflow: "refuse",
    }, () => {});
    return { ms: performance.now() - started, format: session.engine.format };
  },

  /**
   * Milliseconds of `repeat` passes over `rows` rows after `past` tokens, and what a GPU was told and gave back in each.
   * `need`: what is asked of the scores, all where absent. `tokens`: a text to take them from.
   */
  async pass({ rows, past, repeat, need, tokens, inside }: PassRequest) {
    const { engine } = session;
    const place = placeOf(past, tokens);
    await timerOf().go(place);
    const before = engine instanceof WebGpuEngine ? { ...engine.counts } : undefined;
    const ms = await timerOf().passes(place, rows, repeat, { need, ...inside });
    if (!(engine instanceof WebGpuEngine)) return { ms };
    const counts = Object.entries(engine.counts).map(([name, count]) => [
      name,
      (count - before![name as keyof typeof before]) / ms.length,
    ]);
    return { ms, counts: Object.fromEntries(counts) };
  },

  /** Milliseconds of each of `count` greedy steps, choosing the token included, after `past` tokens; and the tokens. */
  async plain({ past, count, tokens }: PlainRequest) {
    const { ms, said } = await timerOf().plain(placeOf(past, tokens), count);
    return { ms, text: said };
  },

  /** The GPU of the engine that was loaded. */
  async gpu(): Promise<Gpu> {
    const device = await gpuDevice();
    const { adapter, software } = await findAdapter(device.provider, "");
    const { vendor, architecture, device: model, description } = adapter.info;
    const { subgroups, float16 } = device.features;
    return {
      name: device.adapterName,
      info: { vendor, architecture, device: model, description },
      software,
      offered: [...adapter.features].map(String).sort(),
      used: [...subgroups > 1 ? [`subgroups, of ${subgroups}`] : [], ...float16 ? ["shader-f16"] : []],
      weightBytes: weightBytes(session.source, session.engine.format === "exact"),
      memoryBytes: (session.engine as WebGpuEngine).counts.bytes,
    };
  },

  /** Dispatches of passes through the first layer alone, by width: what other layers add to that is theirs. */
  async oneLayer({ widths, past, tokens }: { widths: number[]; past: number; tokens: number[] }) {
    const { source, engine } = session;
    const short: ModelSource = {
      path: source.path,
      format: source.format,
      title: source.title,
      spec: { ...source.spec, layers: source.spec.layers.slice(0, 1) },
      names: source.names,
      size: source.size,
      get tokenizer() {
        return source.tokenizer;
      },
      converted: source.converted,
      has: (name) => source.has(name),
      tensor: (name) => source.tensor(name),
      hash: (cacheDir) => source.hash(cacheDir),
      close() {},
    };
    const { format, context } = engine;
    const provider = engine.name.split(":")[1];
    const options = { format, context, provider, strict: true, cacheDir: "" };
    const one = await webgpuBackend.load(short, options) as WebGpuEngine;
    const dispatches = [];
    const sequence = one.open();
    await fill(sequence, placeOf(past, tokens), one.maxRows);
    for (const rows of widths) {
      const before = one.counts.dispatches;
      await sequence.forward({ tokens: Int32Array.from(tokens.slice(past, past + rows)), need: "argmax" });
      dispatches.push(one.counts.dispatches - before);
    }
    one.close();
    return { dispatches };
  },

  /** Bytes per millisecond that the GPU copies: what is read and what is written counts. */
  async copy({ bytes, forMs }: { bytes: number; forMs: number }) {
    const device = await gpuDevice();
    const size = Math.min(bytes, device.gpu.limits.maxBufferSize);
    const [from, to] = [device.storage(size, "source"), device.storage(size, "target")];
    const copies = async (times: number) => {
      const started = performance.now();
      const encoder = device.gpu.createCommandEncoder();
      for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
      device.submit(encoder);
      await device.settle();
      return performance.now() - started;
    };
    await copies(1);
    const once = await copies(1);
    const times = Math.max(2, Math.min(1000, Math.ceil(forMs / once)));
    const many = await copies(times + 1);
    device.destroy(from);
    device.destroy(to);
    return { rate: 2 * size * times / Math.max(many - once, 1e-3) };
  },

  /** Ids of one user message in the model's chat template, or of the bare text where it has none. */
  prompt({ text }: { text: string }) {
    return { ids: [...promptOf(session.source, text, { raw: false, system: undefined }).tokens] };
  },

  /** Greedy text by the drafter that was loaded. */
  async generate({ prompt, max }: { prompt: number[]; max: number }): Promise<Generated> {
    const text = session.source.tokenizer.decode(prompt);
    const question = {
      prompt: { text, tokens: Int32Array.from(prompt) },
      sampling: GREEDY,
      seed: "0",
      maxTokens: max,
      stop: [],
    };
    const started = performance.now();
    let first = NaN;
    const { tokens, stats } = await session.answer(question, () => {
      if (Number.isNaN(first)) first = performance.now() - started;
    });
    return { tokens: [...tokens], firstMs: first, ms: performance.now() - started, stats };
  },

  memory() {
    const status = readFileSync("/proc/self/status", "utf8");
    const mebibytes = (field: string) => Number(RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    return { peakMiB: mebibytes("VmHWM"), nowMiB: mebibytes("VmRSS") };
  },
};

/** Of the engine that was loaded. */
function timerOf(): PassTimer {
  return timer ??= new PassTimer(session.engine);
}

function placeOf(past: number, text?: readonly number[]): Place {
  return { past, token: text === undefined ? spreadTokens(session.source.spec.vocab) : (i) => text[i] };
}

/** A share of the device that the engine computes on. */
async function gpuDevice(): Promise<Device> {
  if (!(session.engine instanceof WebGpuEngine)) throw new Error(`${session.engine.name} has no GPU`);
  return gpuShare ??= await Device.open(await findAdapter(session.engine.name.split(":")[1], ""));
}

serve(commands);
