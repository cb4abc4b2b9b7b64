// What a plain greedy run spends outside the target's passes.
import { hunch } from "../child.ts";
import { show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, specBench, THREADS } from "../setup.ts";
import type { Generated } from "../worker.ts";

const suite: Suite = {
  summary: "The share of a plain greedy run, and of one with `lookup`, that is not inside passes of the target",
  async run() {
    const rows = [];
    for (const drafter of ["none", "lookup"]) {
      const ours = hunch();
      await ours.ask("load", { path: DEFAULT_MODEL, threads: THREADS, context: 1024, drafter });
      const share = [];
      for (const { text } of specBench("qa", 8)) {
        const { ids } = await ours.ask<{ ids: number[] }>("prompt", { text });
        const { tokens, stats } = await ours.ask<Generated>("generate", { prompt: ids, max: 128 });
        if (tokens.length >= 8) share.push((1 - stats.verifyMs / stats.decodeMs) * 100);
      }
      await ours.close();
      rows.push([drafter, show(spread(share))]);
    }
    return { report: table(["drafter", "% outside passes"], rows) };
  },
};

export default suite;
