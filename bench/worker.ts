// hunch as a process that is measured: one line of JSON asks, one line answers. See child.ts.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chatTokens } from "../cli/prompt.ts";
import { Session } from "../cli/session.ts";
import type { Sequence, WeightFormat } from "../src/backend.ts";
import { GREEDY } from "../src/sampling.ts";
import type { Stats } from "../src/stats.ts";

export interface Load {
  readonly path: string;
  readonly threads: number;
  readonly context: number;
  readonly format?: WeightFormat | "auto";
  readonly drafter?: string;
}

/** What hunch and node-llama-cpp tell of a text; the latter has no `stats`. */
export interface Generated {
  readonly tokens: number[];
  /** From the call to the first token, and to the last. */
  readonly firstMs: number;
  readonly ms: number;
  readonly stats: Stats;
}

let session: Session, sequence: Sequence | undefined;

const commands = {
  async load({ path, threads, context, format = "auto", drafter = "none" }: Load) {
    const started = performance.now();
    session = await Session.open({
      model: path,
      backend: "onnx",
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

  /** Milliseconds of `repeat` passes over `rows` rows, scores of every row, after `past` tokens. */
  async pass({ rows, past, repeat }: { rows: number; past: number; repeat: number }) {
    const sequence = await filled(past);
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
    const sequence = await filled(past);
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
  prompt({ text }: { text: string }) {
    return { ids: [...chatTokens(session.source, [{ role: "user", content: text }])] };
  },

  /** Greedy text by the drafter that was loaded. */
  async generate({ prompt, max }: { prompt: number[]; max: number }): Promise<Generated> {
    const question = { prompt: Int32Array.from(prompt), sampling: GREEDY, seed: "0", maxTokens: max, stop: [] };
    const started = performance.now();
    let first = NaN;
    const { tokens, stats } = await session.answer(question, () => {
      if (Number.isNaN(first)) first = performance.now() - started;
    });
    return { tokens: [...tokens], firstMs: first, ms: performance.now() - started, stats };
  },

  memory() {
    const status = readFileSync("/proc/self/status", "utf8");
    return { peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  },
};

/** The sequence for passes, with `past` tokens in its cache. */
async function filled(past: number): Promise<Sequence> {
  sequence ??= session.engine.open();
  if (sequence.length === past) return sequence;
  sequence.rewind(0);
  const tokens = Int32Array.from({ length: past }, (_, i) => 500 + (i * 131) % 40000);
  for (let at = 0; at < past; at += session.engine.maxRows) {
    const part = tokens.subarray(at, Math.min(past, at + session.engine.maxRows));
    await sequence.forward({ tokens: part, score: "last" });
    sequence.keep(Int32Array.from(part, (_, i) => i));
  }
  return sequence;
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
