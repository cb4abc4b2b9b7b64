// Passes of hunch and node-llama-cpp side by side: plain decoding and 1 to 32 rows, past 256, and the peak memory; and
// how much of what the machine can read from memory a plain token reads.
//
//   npm run bench -- passes --model=FILE           any GGUF; one of `hunch model random` as well
//   npm run bench -- passes --nodes --rows=16      where the time of a pass goes, by ONNX Runtime's profiler
//   npm run bench -- passes --turns=3 --no-peer    quicker, and without node-llama-cpp
import process from "node:process";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { openModel } from "../../src/model/open.ts";
import { readBandwidth } from "../bandwidth.ts";
import { type Child, hunch, llama } from "../child.ts";
import { type NodeTime, nodeTimes } from "../nodes.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import { count, option, type Suite } from "../suite.ts";
import { DEFAULT_MODEL, PAST, THREADS } from "../setup.ts";
import type { WeightFormat } from "../../src/weight-format.ts";

const WIDTHS = [1, 2, 4, 8, 16, 32];
/** Turns; in each, every process measures every width once more. */
const TURNS = count("turns", 7);
const MODEL = option("model") ?? DEFAULT_MODEL;
const REPEAT = 4;
/** Kinds of nodes that get a line of their own in the table of nodes. */
const DEAREST = 16;
/** Bytes of weights from which on reading them takes time. */
const LEAST = 1e5;

interface Times {
  readonly ms: number[];
}

const suite: Suite = {
  summary: "Milliseconds per plain token and per pass of 1 to 32 rows, beside node-llama-cpp; peak memory",
  async run() {
    if (process.argv.includes("--nodes")) return { report: await nodes() };
    const peer = process.argv.includes("--no-peer") ? undefined : await installPeers();
    const { formats, tokens, context } = await facts();
    const children: Child[] = [...formats.map(() => hunch()), ...peer === undefined ? [] : [llama()]];
    const load = { path: MODEL, threads: THREADS, context };
    for (let i = 0; i < children.length; i++) await children[i].ask("load", { ...load, format: formats[i] });
    const bandwidth = await readBandwidth(THREADS);

    const plain = children.map(() => [] as number[]);
    const passes = children.map(() => WIDTHS.map(() => [] as number[]));
    for (let turn = 0; turn < TURNS; turn++) {
      for (let i = 0; i < children.length; i++) {
        const { ms } = await children[i].ask<Times>("plain", { past: PAST, count: 24, tokens });
        plain[i].push(spread(ms.slice(4)).median);
      }
      for (let w = 0; w < WIDTHS.length; w++) {
        for (let i = 0; i < children.length; i++) {
          const { ms } = await children[i].ask<Times>("pass", {
            ...{ rows: WIDTHS[w], past: PAST },
            ...{ repeat: REPEAT + 1, tokens },
          });
          passes[i][w].push(spread(ms.slice(1)).median);
        }
      }
    }
    const peak: number[] = [];
    for (const child of children) peak.push((await child.ask<{ peakMiB: number }>("memory")).peakMiB);
    for (const child of children) await child.close();

    const last = children.length - 1;
    const against = (i: number) => peer !== undefined && i < last;
    const names = [
      ...formats.map((format) => `hunch ${format}`),
      ...peer === undefined ? [] : ["node-llama-cpp"],
    ];
    const cell = (ours: number[], theirs: number[], i: number) =>
      show(spread(ours)) + (against(i) ? ` · ${show(spread(ratios(ours, theirs)))}×` : "");
    const times = table(["rows", ...names], [
      ["plain token", ...plain.map((ms, i) => cell(ms, plain[last], i))],
      ...WIDTHS.map((width, w) => [String(width), ...passes.map((ms, i) => cell(ms[w], passes[last][w], i))]),
    ]);
    const least = (ms: number[], i: number, theirs: number[]) =>
      Math.min(...ms).toFixed(2) + (against(i) ? ` · ${(Math.min(...ms) / Math.min(...theirs)).toFixed(2)}×` : "");
    const quickest = table(["quickest turn", ...names], [
      ["plain token", ...plain.map((ms, i) => least(ms, i, plain[last]))],
      ...WIDTHS.map((width, w) => [String(width), ...passes.map((ms, i) => least(ms[w], i, passes[last][w]))]),
    ]);
    const memory = table(
      ["", ...names],
      [[
        "peak MiB",
        ...peak.map((mib, i) => mib.toFixed(0) + (against(i) ? ` · ${(mib / peak[last]).toFixed(2)}×` : "")),
      ], [
        "of what the machine reads",
        ...await shares(formats, plain, bandwidth),
      ]],
    );
    const how =
      `Medians of ${TURNS} turns with the middle half; after · the ratio to node-llama-cpp in the same turn. ` +
      `The machine reads ${(bandwidth / 1e9).toFixed(1)} GB/s from memory. ` +
      `Past ${PAST}, ${THREADS} threads, scores of every row. On a machine with other work the quickest turns tell more.`;
    return {
      report: `${how}\n\n${times}\n\n${quickest}\n\n${memory}`,
      versions: (peer === undefined ? {} : { "node-llama-cpp": peer }) as Record<string, string>,
    };
  },
};

export default suite;

/** What the model can be measured with: its formats, tokens of its vocabulary, and room for all of them. */
async function facts() {
  const source = await openModel(MODEL);
  const { vocab, context } = source.spec;
  const formats = onnxBackend.offers!(source).filter(({ refusal }) => refusal === undefined).map(({ format }) =>
    format
  );
  source.close();
  const length = PAST + REPEAT + 1 + WIDTHS[WIDTHS.length - 1];
  const tokens = Array.from({ length }, (_, i) => (500 + i * 131) % vocab);
  return { formats, tokens, context: Math.min(1024, context) };
}

/** The share of the bandwidth that a plain token uses: all of the weights, in the quickest turn. */
async function shares(
  formats: readonly WeightFormat[],
  plain: readonly (readonly number[])[],
  bandwidth: number,
): Promise<string[]> {
  const source = await openModel(MODEL);
  const offers = onnxBackend.offers!(source);
  source.close();
  return plain.map((ms, i) => {
    const bytes = offers.find(({ format }) => format === formats[i])?.bytes;
    if (bytes === undefined) return "";
    const rate = 1000 * bytes / Math.min(...ms);
    return `${(rate / 1e9).toFixed(1)} GB/s · ${Math.round(100 * rate / bandwidth)}%`;
  });
}

/** A table for each format that fits the model: every operator by the width of its outputs, and what it reads. */
async function nodes(): Promise<string> {
  const rows = count("rows", 1);
  const source = await openModel(MODEL);
  const offers = onnxBackend.offers!(source);
  source.close();
  const bandwidth = await readBandwidth(THREADS);
  const rate = (bytes: number, ms: number) =>
    bytes < LEAST ? ["", ""] : [(bytes / 1e6 / ms).toFixed(1), `${Math.round(bytes / 10 / ms / bandwidth * 1e6)}%`];
  const mb = (bytes: number) => bytes < LEAST ? "" : (bytes / 1e6).toFixed(1);
  const parts: string[] = [];
  for (const { format, bytes, refusal } of offers) {
    if (bytes === undefined) {
      parts.push(`${format}: ${refusal}.`);
      continue;
    }
    const all = await nodeTimes(MODEL, format, rows, 8);
    const ms = all.reduce((sum, node) => sum + node.ms, 0);
    const line = (name: string, of: readonly NodeTime[]) => {
      const [count, own, bytes] = [sum(of, "count"), sum(of, "ms"), sum(of, "bytes")];
      return [name, String(count), own.toFixed(3), `${(100 * own / ms).toFixed(1)}%`, mb(bytes), ...rate(bytes, own)];
    };
    const head = [`${format}, ${rows} row${rows === 1 ? "" : "s"}`, "nodes", "ms", "share", "MB", "GB/s", "of machine"];
    parts.push(table(head, [
      ...all.slice(0, DEAREST).map((node) => line(`${node.operator} → ${node.columns ?? "?"}`, [node])),
      line("all others", all.slice(DEAREST)),
      line("all", all),
    ]));
  }
  return `Medians of 8 passes past ${PAST}, ${THREADS} threads. The profiler itself takes some µs a node. MB are of ` +
    `weights; the machine reads ${(bandwidth / 1e9).toFixed(1)} GB/s from memory.\n\n${parts.join("\n\n")}`;
}

function sum(nodes: readonly NodeTime[], what: "count" | "ms" | "bytes"): number {
  return nodes.reduce((total, node) => total + node[what], 0);
}
