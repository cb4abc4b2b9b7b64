// What it costs to look inside a model: hidden states, and passes that leave out blocks, in time and in memory.
//
//   npm run bench -- inside [--format=int8] [--turns=9]
import { Child, hunch } from "../child.ts";
import { ratios, show, spread, table } from "../report.ts";
import { count, option, type Suite } from "../suite.ts";
import type { Rows, Skip } from "../../src/backend.ts";
import { openModel } from "../../src/model/open.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";

const WIDTHS = [1, 8, 32];
const PAST = 256;
const CONTEXT = 4096;

type Inside = Pick<Rows, "taps" | "skip">;

const suite: Suite = {
  summary: "Hidden states and blocks that are left out, beside plain passes: milliseconds and memory",
  options: { format: "FORMAT", turns: "N" },
  async run() {
    const source = await openModel(DEFAULT_MODEL);
    const layers = source.spec.layers.length;
    source.close();
    const format = option("format") ?? "exact";
    const turns = count("turns", 9);
    const part = (take: (layer: number) => boolean) => Array.from({ length: layers }, (_, i) => i).filter(take);
    const without = (layers: readonly number[]): Inside => ({ skip: both(layers) });
    const tapped = [0.25, 0.5, 0.75].map((share) => Math.round(share * layers));
    const asked: readonly (readonly [string, Inside])[] = [
      ["nothing", {}],
      ["three hidden states", { taps: tapped }],
      ["every second layer left out", without(part((layer) => layer % 2 === 1))],
      ["the head alone", without(part(() => true))],
    ];
    const [plain, inside] = [hunch(), hunch()];
    for (const child of [plain, inside]) {
      await child.ask("load", { path: DEFAULT_MODEL, threads: THREADS, context: CONTEXT, format });
    }
    const rows: string[][] = [];
    for (const width of WIDTHS) {
      const take = async (child: Child, inside: Inside) => {
        const { ms } = await child.ask<{ ms: number[] }>("pass", {
          rows: width,
          past: PAST,
          repeat: 6,
          need: "argmax",
          inside,
        });
        return spread(ms).median;
      };
      const settings = [["plain", plain, {}], ...asked.map(([name, rows]) => [name, inside, rows] as const)] as const;
      await take(inside, { taps: [1] }); // from now on its graph is the one that is looked into
      const taken = settings.map(() => [] as number[]);
      for (let turn = 0; turn < turns; turn++) {
        const order = [...settings.keys()];
        for (const i of turn % 2 === 0 ? order : order.reverse()) {
          const [, child, rows] = settings[i];
          taken[i].push(await take(child, rows));
        }
      }
      settings.forEach(([name], i) =>
        rows.push([`${width}`, name, show(spread(taken[i])), show(spread(ratios(taken[i], taken[0])))])
      );
    }
    const memory = await Promise.all([plain, inside].map((child) => child.ask<{ nowMiB: number }>("memory")));
    const [own, other] = memory.map(({ nowMiB }) => nowMiB);
    for (const child of [plain, inside]) await child.close();
    const report = [
      `Format ${format}, ${THREADS} threads, after ${PAST} tokens; the median pass, and as a ratio to the plain graph's ` +
      "in the same turn.",
      table(["rows", "asked for", "ms", "ratio"], rows),
      `Resident memory afterwards: ${own.toFixed(0)} MiB plain, ${other.toFixed(0)} MiB looked into ` +
      `(${(other / own).toFixed(3)}).`,
    ];
    return { report: report.join("\n\n") };
  },
};

const both = (layers: readonly number[]): Skip => ({ attention: layers, feedForward: layers });

export default suite;
