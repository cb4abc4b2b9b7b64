// This checkout beside another one: plain tokens, passes and prompts, as ratios of times taken in turns.
//
//   npm run bench -- before --before=/path/to/other/checkout [--format=int8] [--turns=9] [--only=plain,4096] [--cpu]
//
// `--cpu`: processor time with one thread instead of the clock with two, for machines that have other work. Linux only.
import { Child, type ChildOptions, hunch } from "../child.ts";
import { command, CURRENT } from "../../scripts/runtimes.ts";
import { ratios, show, spread, table } from "../report.ts";
import { count, flag, option, type Suite } from "../suite.ts";
import type { Generated } from "../worker.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";

const PASTS = [256, 1024, 4096];
const WIDTHS = [2, 8, 16, 32];
const PROMPTS = [512, 2048];
const CONTEXT = 8192;

interface Times {
  readonly ms: number[];
}

const suite: Suite = {
  summary: "This checkout's plain tokens, passes and prompts beside another checkout's (--before=FOLDER)",
  options: { before: "FOLDER", format: "FORMAT", turns: "N", only: "WORDS", cpu: "" },
  async run() {
    const folder = option("before");
    if (folder === undefined) return { report: "Skipped: name the other checkout by --before=FOLDER." };
    const format = option("format") ?? "exact";
    const turns = count("turns", 9);
    const cpu = flag("cpu");
    const threads = cpu ? 1 : THREADS;
    const children = [hunch(), other(folder)];
    for (const child of children) await child.ask("load", { path: DEFAULT_MODEL, threads, context: CONTEXT, format });

    const rows: string[][] = [];
    /** `ask`: the times of some repetitions. */
    const measure = async (name: string, ask: (child: Child) => Promise<number[]>) => {
      if (!(option("only") ?? name).split(",").every((word) => name.includes(word))) return;
      for (const child of children) await ask(child);
      const take = async (child: Child) => {
        const before = cpu ? child.cpuMs() : 0;
        const times = await ask(child);
        return cpu ? (child.cpuMs() - before) / times.length : spread(times).median;
      };
      const taken = children.map(() => [] as number[]);
      for (let turn = 0; turn < turns; turn++) {
        // Who goes first changes from turn to turn.
        for (const i of turn % 2 === 0 ? [0, 1] : [1, 0]) taken[i].push(await take(children[i]));
      }
      rows.push([name, ...taken.map((ms) => show(spread(ms))), show(spread(ratios(taken[0], taken[1])))]);
    };
    for (const past of PASTS) {
      await measure(
        `plain token after ${past}`,
        async (child) => (await child.ask<Times>("plain", { past, count: 8 })).ms,
      );
      for (const rows of WIDTHS) {
        await measure(
          `${rows} rows after ${past}`,
          async (child) => (await child.ask<Times>("pass", { rows, past, repeat: 6, need: "argmax" })).ms,
        );
      }
    }
    for (const length of PROMPTS) {
      const prompt = Array.from({ length }, (_, i) => 500 + (i * 131) % 40000);
      await measure(
        `prompt of ${length}`,
        async (child) => [(await child.ask<Generated>("generate", { prompt, max: 1 })).firstMs],
      );
    }
    const peaks: string[] = [];
    for (const child of children) peaks.push((await child.ask<{ peakMiB: number }>("memory")).peakMiB.toFixed(0));
    rows.push(["peak MiB", ...peaks, (Number(peaks[0]) / Number(peaks[1])).toFixed(2)]);
    for (const child of children) await child.close();
    const how =
      `Format ${format}, ${threads} threads. Milliseconds${
        cpu ? " of processor time" : ""
      }, medians of ${turns} turns with the middle half; the ` +
      "ratio is of times of the same turn.";
    return { report: `${how}\n\n${table(["", "this", "before", "ratio"], rows)}` };
  },
};

function other(folder: string, options: ChildOptions = {}): Child {
  const flags = CURRENT === "deno" ? ["run", "-A", "--no-prompt"] : [];
  return new Child("before", [...command(CURRENT), ...flags, `${folder}/bench/worker.ts`], options);
}

export default suite;
