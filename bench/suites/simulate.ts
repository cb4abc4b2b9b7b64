// `hunch simulate` against measured runs: from the longest of fixed chains it forecasts the shorter ones, which ran beside
// it, and itself.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interpolateCost, passesCost } from "../../kernels/cost.ts";
import type { Results } from "../../cli/bench/results.ts";
import type { Forecast } from "../../cli/simulate/forecast.ts";
import { Terminal } from "../terminal.ts";
import { table } from "../report.ts";
import { count, type Suite } from "../suite.ts";

/** Those that draft chains: of trees it forecasts nothing. */
const DRAFTERS = ["lookup"];
const LENGTHS = [1, 2, 3, 5, 8];
const LONGEST = LENGTHS[LENGTHS.length - 1];
const PROMPTS = count("prompts", 2);
const TOKENS = count("tokens", 64);
const AIM = 0.05;

const suite: Suite = {
  summary: "`hunch simulate` against measured runs of chains of 1 to 8 tokens: tokens per pass, speed over plain",
  options: { prompts: "N", tokens: "N" },
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "hunch-simulate-"));
    const terminal = new Terminal();
    try {
      const controllers = LENGTHS.map((length) => `--controller 'fixed?nodes=${length}'`).join(" ");
      const rows: string[][] = [];
      const kept = { clock: 0, curve: 0 };
      for (const drafter of DRAFTERS) {
        const out = join(folder, drafter);
        terminal.run(`hunch bench -d ${drafter} ${controllers} --prompts ${PROMPTS} -n ${TOKENS} -q -o '${out}'`);
        const path = join(out, "results.json");
        const results = JSON.parse(readFileSync(path, "utf8")) as Results;
        const names = results.settings.slice(1).map(({ name }) => name);
        const sum = (setting: string, of: "tokens" | "passes" | "decodeMs" | "draftMs") =>
          results.runs.filter((run) => run.setting === setting).reduce((total, run) => total + run[of], 0);
        /** The passes as they were, each at the time of the curve, and the drafting: without the noise of the clock. */
        const byCurve = (setting: string) => {
          const runs = results.runs.filter((run) => run.setting === setting);
          const cost = (rows: number) => interpolateCost(results.curve, rows);
          const ms = runs.reduce((total, { widths, draftMs }) => total + passesCost(widths, cost) + draftMs, 0);
          return sum(setting, "tokens") * cost(1) / ms;
        };
        const rate = (setting: string) => sum(setting, "tokens") / sum(setting, "decodeMs");
        const longest = names[names.length - 1];
        const { stdout } = terminal.run(
          `hunch simulate --json --from '${path}' --setting '${longest}' --nodes ${LONGEST}`,
        );
        const { chains } = JSON.parse(stdout) as { chains: Forecast[] };
        LENGTHS.forEach((length, i) => {
          const [perPass, over] = [sum(names[i], "tokens") / sum(names[i], "passes"), rate(names[i]) / rate("plain")];
          const { tokensPerPass, speedup } = chains[length];
          const expected = byCurve(names[i]);
          if (Math.abs(speedup / over - 1) <= AIM) kept.clock++;
          if (Math.abs(speedup / expected - 1) <= AIM) kept.curve++;
          rows.push([
            `${drafter}, chains of ${length}`,
            perPass.toFixed(3),
            tokensPerPass.toFixed(3),
            speedup.toFixed(2),
            over.toFixed(2),
            percent(speedup / over - 1),
            expected.toFixed(2),
            percent(speedup / expected - 1),
          ]);
        });
      }
      return {
        report:
          `Forecast from what was measured of chains of ${LONGEST} and from the cost curve; ${PROMPTS} prompts of each ` +
          `kind of work, up to ${TOKENS} tokens, all together. By the curve: the measured passes, each at the time of the ` +
          `curve, and the drafting. **Within ${100 * AIM}%: ${kept.clock} of ${rows.length} speeds on the clock, ` +
          `${kept.curve} by the curve.**\n\n` +
          table([
            ...["", "tokens per pass", "simulated", "simulated over plain"],
            ...["over plain, clock", "off", "over plain, by the curve", "off"],
          ], rows),
      };
    } finally {
      terminal.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export default suite;

function percent(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}%`;
}
