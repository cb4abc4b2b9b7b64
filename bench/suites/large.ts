// What drafters would bring on a larger model, whose wide passes cost more: what was drafted and accepted with the default
// model (bench/out/drafters-…, made by the suite `drafters` with the same options), at the costs of passes over a file of
// a larger model's shape with random weights, of which only costs mean anything.
//
//   npm run bench -- drafters && npm run bench -- large --docs
//   npm run bench -- large --like=smollm2-135m --mix=q8_0 --prompts=1 --tokens=16
import { existsSync } from "node:fs";
import { type CostPoint, interpolateCost, passesCost } from "../../kernels/cost.ts";
import { type Measured, readResults } from "../../cli/bench/results.ts";
import { PLAIN } from "../../cli/bench/settings.ts";
import { MEASURED } from "../drafters.ts";
import { OUT, runHunch } from "../hunch-bench.ts";
import { table } from "../report.ts";
import { option, type Suite } from "../suite.ts";

const MIX = option("mix") ?? "q4_k_m";
const FORMATS = ["exact", "int8"] as const;
/** Widths of which the costs are shown. */
const SHOWN = [1, 2, 4, 8, 16, 32];

const suite: Suite = {
  summary: "Acceptance of the default model at the costs of a larger one's passes, with random weights",
  options: { like: "MODEL", mix: "MIX", prompts: "N", tokens: "N" },
  async run() {
    const like = option("like") ?? "llama-1b";
    const results = await readResults(`${OUT}${MEASURED("default")}/results.json`);
    const model = `${OUT}${like}-${MIX}.gguf`;
    if (!existsSync(model)) await runHunch(["model", "random", model, "--like", like, "--mix", MIX]);
    const curves: CostPoint[][] = [];
    for (const format of FORMATS) {
      const line = ["simulate", "--acceptance", "0.5", "-m", model, "--backend", "onnx", "--format", format, "--json"];
      curves.push((JSON.parse(await runHunch(line)) as { curve: CostPoint[] }).curve);
    }
    const names = [`default ${results.format}`, ...FORMATS.map((format) => `${like} ${format}`)];
    const all = [results.curve, ...curves];
    const settings = results.settings.filter(({ name }) => name !== PLAIN);
    const rows = settings.map(({ name, drafter }) => {
      const runs = results.runs.filter(({ setting }) => setting === name);
      const sum = (of: (run: Measured) => number) => runs.reduce((total, run) => total + of(run), 0);
      const per = [sum((run) => run.tokens), sum((run) => run.rows)].map((n) =>
        (n / sum((run) => run.passes)).toFixed(2)
      );
      return [`\`${drafter}\``, ...per, ...all.map((curve) => overPlain(runs, curve).toFixed(2))];
    });
    const costs = all.map((curve, i) => [
      names[i],
      ...SHOWN.map((width) => `${interpolateCost(curve, width).toFixed(1)}`),
      ...SHOWN.slice(1).map((width) => `${(interpolateCost(curve, width) / interpolateCost(curve, 1)).toFixed(2)}`),
    ]);
    return {
      report: [
        `A file of the shape ${like} in the mix ${MIX}, random weights, ${
          results.threads ?? "all"
        } threads. Milliseconds of a ` +
        "pass by its rows, then in proportion to one row:",
        table(["passes", ...SHOWN.map(String), ...SHOWN.slice(1).map((width) => `${width} over 1`)], costs),
        "Drafts as they were made with the default model, for its costs; over plain decoding where each pass takes what it " +
        "would there, and drafting what it took here:",
        table(["drafter", "tokens per pass", "rows per pass", ...names.map((name) => `over plain, ${name}`)], rows),
      ].join("\n\n"),
    };
  },
};

export default suite;

/** Of all runs together, by the curve. */
function overPlain(runs: readonly Measured[], curve: readonly CostPoint[]): number {
  const cost = (rows: number) => interpolateCost(curve, rows);
  const sum = (of: (run: Measured) => number) => runs.reduce((total, run) => total + of(run), 0);
  return sum(({ tokens }) => tokens) * cost(1) / sum(({ widths, draftMs }) => passesCost(widths, cost) + draftMs);
}
