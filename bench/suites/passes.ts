// Passes of hunch and node-llama-cpp side by side: plain decoding and 1 to 32 rows, past 256, and the peak memory.
import { type Child, hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, PAST, THREADS } from "../setup.ts";
import { WEIGHT_FORMATS } from "../../src/weight-format.ts";

const WIDTHS = [1, 2, 4, 8, 16, 32];
/** Turns; in each, every process measures every width once more. */
const TURNS = 7;
const REPEAT = 4;

interface Times {
  readonly ms: number[];
}

const suite: Suite = {
  summary: "Milliseconds per plain token and per pass of 1 to 32 rows, beside node-llama-cpp; peak memory",
  async run() {
    const peer = await installPeers();
    const children: Child[] = [...WEIGHT_FORMATS.map(() => hunch()), llama()];
    const load = { path: DEFAULT_MODEL, threads: THREADS, context: 1024 };
    for (let i = 0; i < children.length; i++) await children[i].ask("load", { ...load, format: WEIGHT_FORMATS[i] });

    const plain = children.map(() => [] as number[]);
    const passes = children.map(() => WIDTHS.map(() => [] as number[]));
    for (let turn = 0; turn < TURNS; turn++) {
      for (let i = 0; i < children.length; i++) {
        const { ms } = await children[i].ask<Times>("plain", { past: PAST, count: 24 });
        plain[i].push(spread(ms.slice(4)).median);
      }
      for (let w = 0; w < WIDTHS.length; w++) {
        for (let i = 0; i < children.length; i++) {
          const { ms } = await children[i].ask<Times>("pass", { rows: WIDTHS[w], past: PAST, repeat: REPEAT + 1 });
          passes[i][w].push(spread(ms.slice(1)).median);
        }
      }
    }
    const peak: number[] = [];
    for (const child of children) peak.push((await child.ask<{ peakMiB: number }>("memory")).peakMiB);
    for (const child of children) await child.close();

    const last = children.length - 1;
    const names = [...WEIGHT_FORMATS.map((format) => `hunch ${format}`), "node-llama-cpp"];
    const cell = (ours: number[], theirs: number[], i: number) =>
      show(spread(ours)) + (i === last ? "" : ` · ${show(spread(ratios(ours, theirs)))}×`);
    const times = table(["rows", ...names], [
      ["plain token", ...plain.map((ms, i) => cell(ms, plain[last], i))],
      ...WIDTHS.map((width, w) => [String(width), ...passes.map((ms, i) => cell(ms[w], passes[last][w], i))]),
    ]);
    const least = (ms: number[], i: number, theirs: number[]) =>
      Math.min(...ms).toFixed(2) + (i === last ? "" : ` · ${(Math.min(...ms) / Math.min(...theirs)).toFixed(2)}×`);
    const quickest = table(["quickest turn", ...names], [
      ["plain token", ...plain.map((ms, i) => least(ms, i, plain[last]))],
      ...WIDTHS.map((width, w) => [String(width), ...passes.map((ms, i) => least(ms[w], i, passes[last][w]))]),
    ]);
    const memory = table(
      ["", ...names],
      [[
        "peak MiB",
        ...peak.map((mib, i) => mib.toFixed(0) + (i === last ? "" : ` · ${(mib / peak[last]).toFixed(2)}×`)),
      ]],
    );
    const how =
      `Medians of ${TURNS} turns with the middle half; after · the ratio to node-llama-cpp in the same turn. ` +
      `Past ${PAST}, ${THREADS} threads, scores of every row. On a machine with other work the quickest turns tell more.`;
    return { report: `${how}\n\n${times}\n\n${quickest}\n\n${memory}`, versions: { "node-llama-cpp": peer } };
  },
};

export default suite;
