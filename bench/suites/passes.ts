// Passes of hunch and node-llama-cpp side by side, each in a process of its own: plain decoding and 1 to 32 rows, past 256,
// and the peak memory. What `hunch bench passes` measures, beside the peer.
//
//   npm run bench -- passes --model=FILE           any GGUF; one of `hunch model random` as well
//   npm run bench -- passes --turns=3              quicker
import { readBandwidth } from "../../cli/bench/bandwidth.ts";
import { readingCells, readingOf } from "../../cli/bench/passes/report.ts";
import { spreadTokens } from "../../cli/bench/passes/timer.ts";
import { inTurns, needed, PASSES, PLAIN } from "../../cli/bench/passes/turns.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { openModel } from "../../src/model/open.ts";
import { type Child, hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import { DEFAULT_MODEL, PAST, THREADS } from "../setup.ts";
import { count, option, type Suite } from "../suite.ts";

const WIDTHS = [1, 2, 4, 8, 16, 32];
/** Turns; in each, every process measures every width once more. */
const TURNS = count("turns", 7);
const MODEL = option("model") ?? DEFAULT_MODEL;

interface Times {
  readonly ms: number[];
}

const suite: Suite = {
  summary: "Milliseconds per plain token and per pass of 1 to 32 rows, beside node-llama-cpp; peak memory",
  options: { model: "FILE", turns: "N" },
  async run() {
    const { offers, tokens, context } = await facts();
    const peer = await installPeers();
    const children: Child[] = [...offers.map(() => hunch()), llama()];
    const load = { path: MODEL, threads: THREADS, context };
    for (const [i, child] of children.entries()) await child.ask("load", { ...load, format: offers[i]?.format });
    const bandwidth = await readBandwidth(THREADS);

    const request = { past: PAST, tokens };
    const measured = await inTurns(
      children.map((child) => ({
        plain: async () => (await child.ask<Times>("plain", { ...request, count: PLAIN.most })).ms,
        passes: async (rows) => (await child.ask<Times>("pass", { ...request, rows, repeat: PASSES.most })).ms,
      })),
      WIDTHS,
      TURNS,
    );
    const peak: number[] = [];
    for (const child of children) peak.push((await child.ask<{ peakMiB: number }>("memory")).peakMiB);
    for (const child of children) await child.close();

    const last = offers.length;
    const names = [...offers.map(({ format }) => `hunch ${format}`), "node-llama-cpp"];
    const lines: [name: string, own: readonly (readonly number[])[]][] = [
      ["plain token", measured.map(({ plain }) => plain)],
      ...WIDTHS.map((width, w) => [String(width), measured.map(({ passes }) => passes[w])] as [string, number[][]]),
    ];
    /** Everybody's cell, and behind ours the ratio to theirs. */
    const beside = <T>(all: readonly T[], cell: (own: T) => string, ratio: (own: T, theirs: T) => string) =>
      all.map((own, i) => cell(own) + (i < last ? ` · ${ratio(own, all[last])}×` : ""));
    type Ms = readonly number[];
    const medians = (ms: Ms) => show(spread(ms));
    const least = (ms: Ms) => Math.min(...ms);
    const times = table(
      ["rows", ...names],
      lines.map(([name, own]) => [name, ...beside(own, medians, (ours, theirs) => medians(ratios(ours, theirs)))]),
    );
    const quickest = table(
      ["quickest turn", ...names],
      lines.map(([name, own]) => [
        name,
        ...beside(own, (ms) => least(ms).toFixed(2), (ours, theirs) => (least(ours) / least(theirs)).toFixed(2)),
      ]),
    );
    const read = offers.map(({ bytes }, i) => {
      const [gigabytes, share] = readingCells(readingOf(bytes!, least(measured[i].plain), bandwidth));
      return `${gigabytes} GB/s · ${share}`;
    });
    const memory = table(["", ...names], [
      ["peak MiB", ...beside(peak, (mib) => mib.toFixed(0), (ours, theirs) => (ours / theirs).toFixed(2))],
      ["of what the machine reads", ...read, ""],
    ]);
    const how =
      `Medians of ${TURNS} turns with the middle half; after · the ratio to node-llama-cpp in the same turn. ` +
      `The machine reads ${(bandwidth / 1e9).toFixed(1)} GB/s; the share of that is of the quickest turn. ` +
      `Past ${PAST}, ${THREADS} threads, scores of every row. On a machine with other work the quickest turns tell more.`;
    return { report: [how, times, quickest, memory].join("\n\n"), versions: { "node-llama-cpp": peer } };
  },
};

export default suite;

/** What the model can be measured with: the formats that fit it, tokens of its vocabulary, and room for all of them. */
async function facts() {
  const source = await openModel(MODEL);
  const { vocab, context } = source.spec;
  const offers = onnxBackend.offers!(source).filter(({ refusal }) => refusal === undefined);
  source.close();
  const tokens = Array.from({ length: PAST + needed(WIDTHS) + PASSES.most }, (_, i) => spreadTokens(vocab)(i));
  return { offers, tokens, context: Math.min(1024, context) };
}
