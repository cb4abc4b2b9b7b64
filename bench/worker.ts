// hunch as a process that is measured: one line of JSON asks, one line answers. See child.ts.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { openCache } from "../cli/cache.ts";
import { chatTokens } from "../cli/prompt.ts";
import { onnxBackend } from "../kernels/onnx/backend.ts";
import type { Engine, EngineOptions, Sequence } from "../src/backend.ts";
import { openModel } from "../src/model/open.ts";
import type { ModelSource } from "../src/model/source.ts";
import { complete, type Generated } from "./complete.ts";

export type { Generated };

interface Load {
  readonly path: string;
  readonly threads: number;
  readonly context: number;
  readonly format: EngineOptions["format"];
}

let source: ModelSource, engine: Engine, sequence: Sequence;

const commands = {
  async load({ path, threads, context, format }: Load) {
    const started = performance.now();
    source = await openModel(path);
    engine = await onnxBackend.load(source, { format, strict: true, threads, context, cacheDir: openCache() });
    if (format === "auto") await engine.calibrate();
    sequence = engine.open();
    return { ms: performance.now() - started, format: engine.format };
  },

  /** Milliseconds of `repeat` passes over `rows` rows, scores of every row, after `past` tokens. */
  async pass({ rows, past, repeat }: { rows: number; past: number; repeat: number }) {
    await fill(past);
    const ms = [];
    for (let i = 0; i < repeat; i++) {
      const tokens = Int32Array.from({ length: rows }, (_, row) => 1000 + (i * 37 + row * 101) % 40000);
      const started = performance.now();
      await sequence.forward({ tokens });
      ms.push(performance.now() - started);
    }
    return { ms };
  },

  /** Milliseconds of each of `tokens` greedy steps, choosing the token included, after `past` tokens. */
  async plain({ past, tokens }: { past: number; tokens: number }) {
    await fill(past);
    const ms = [];
    const path = Int32Array.of(0);
    const row = Int32Array.of(1000);
    for (let i = 0; i < tokens; i++) {
      const started = performance.now();
      const scores = await sequence.forward({ tokens: row });
      row[0] = scores.argmax(0);
      sequence.keep(path);
      ms.push(performance.now() - started);
    }
    sequence.rewind(past);
    return { ms };
  },

  /** Ids of one user message in the model's chat template. */
  prompt: ({ text }: { text: string }) => ({ ids: [...chatTokens(source, [{ role: "user", content: text }])] }),

  generate: (request: { prompt: number[]; drafter: string; max: number }): Promise<Generated> =>
    complete(engine, request),

  memory() {
    const status = readFileSync("/proc/self/status", "utf8");
    return { peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  },
};

/** Puts `past` tokens into the cache, unless they are there. */
async function fill(past: number): Promise<void> {
  if (sequence.length === past) return;
  sequence.rewind(0);
  const tokens = Int32Array.from({ length: past }, (_, i) => 500 + (i * 131) % 40000);
  for (let at = 0; at < past; at += engine.maxRows) {
    const part = tokens.subarray(at, Math.min(past, at + engine.maxRows));
    await sequence.forward({ tokens: part, score: "last" });
    sequence.keep(Int32Array.from(part, (_, i) => i));
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...request } = JSON.parse(line);
  try {
    const command = (commands as Record<string, (request: unknown) => unknown>)[what];
    console.log(JSON.stringify(await command(request)));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.stack : String(error) }));
  }
}
process.exit(0);
