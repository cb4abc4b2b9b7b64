// What happens between passes, in microseconds: text to tokens, rules, distributions, the bookkeeping of trees.
import { Bench } from "tinybench";
import { rules } from "./micro/rules.ts";
import { text } from "./micro/text.ts";
import { table } from "../report.ts";
import type { Suite } from "../suite.ts";

const suite: Suite = {
  summary: "Microseconds of what happens between passes: tokenizer, distributions, rules, trees",
  async run() {
    const rows = [];
    for (const [group, tasks] of [["text", text()], ["rules", rules()]] as const) {
      const bench = new Bench({ time: 300, warmupTime: 100 });
      for (const [name, task] of Object.entries(tasks)) bench.add(name, task);
      for (const task of await bench.run()) {
        const { result } = task;
        if (result.state !== "completed") throw new Error(`${task.name} did not finish: ${result.state}`);
        const { p50, mad } = result.latency;
        rows.push([`${group}: ${task.name}`, (p50 * 1000).toFixed(1), (mad * 1000).toFixed(1)]);
      }
    }
    return { report: table(["task", "median µs", "median deviation µs"], rows) };
  },
};

export default suite;
