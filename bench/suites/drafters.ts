// Drafters side by side with plain decoding, greedy, on seven kinds of work: tokens and rows per pass, tokens per second,
// and whether the text is the same. All take turns, text by text, each on an engine of its own and in its default company.
//
//   npm run bench -- drafters                                   lookup and auto, four prompts of each kind
//   npm run bench -- drafters --drafters=auto,lookup?longest=4  others
//   npm run bench -- drafters --prompts=1 --tokens=96 --only=summarisation
import process from "node:process";
import { hunch } from "../child.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";
import type { Generated } from "../worker.ts";
import { workloads } from "../workloads.ts";

const CONTEXT = 4096;
/** How often everybody answers a prompt; the quickest counts, since the slower ones had company on the machine. */
const TURNS = 2;

const suite: Suite = {
  summary: "Drafters side by side with plain decoding on seven kinds of work, greedy, text by text in turn",
  async run() {
    const names = ["none", ...(option("drafters") ?? "lookup,auto").split(",")];
    const [prompts, most] = [Number(option("prompts") ?? 4), Number(option("tokens") ?? 160)];
    const load = { path: DEFAULT_MODEL, threads: THREADS, context: CONTEXT, format: "exact" };
    const children = names.map(() => hunch());
    for (const [k, child] of children.entries()) {
      await child.ask("load", { ...load, drafter: names[k] });
      await child.ask("generate", { prompt: await ids("Warm up."), max: 32 });
    }
    const rows: string[][] = [];
    const kinds: number[][] = names.map(() => []);
    for (const [kind, texts] of Object.entries(workloads(prompts))) {
      if (!kind.startsWith(option("only") ?? "")) continue;
      const runs: Generated[][] = names.map(() => []);
      for (const [i, text] of texts.entries()) {
        const prompt = await ids(text);
        const quickest: Generated[] = [];
        for (let turn = 0; turn < TURNS * names.length; turn++) {
          const k = (turn + i) % names.length; // who goes first changes from prompt to prompt
          const run = await children[k].ask<Generated>("generate", { prompt, max: most });
          if (quickest[k] === undefined || rate(run) > rate(quickest[k])) quickest[k] = run;
        }
        if (quickest[0].tokens.length >= 8) quickest.forEach((run, k) => runs[k].push(run));
        console.error(
          `${kind} ${i + 1}/${texts.length}: ${quickest.map((run) => rate(run).toFixed(1)).join(" ")} tokens/s`,
        );
      }
      for (const [k, name] of names.entries()) {
        const same = runs[k].filter(({ tokens }, i) => tokens.join() === runs[0][i].tokens.join()).length;
        const over = ratios(runs[k].map(rate), runs[0].map(rate));
        kinds[k].push(spread(over).median);
        rows.push([
          k === 0 ? kind : "",
          name,
          `${same} of ${runs[k].length}`,
          show(spread(runs[k].map(({ stats }) => stats.tokens / stats.passes))),
          show(spread(runs[k].map(({ stats }) => stats.rows / stats.passes)), 1),
          show(spread(runs[k].map(rate)), 1),
          k === 0 ? "" : show(spread(over)),
          k === 0
            ? ""
            : (100 * runs[k].reduce((sum, { stats }) => sum + stats.draftMs / stats.decodeMs, 0) / runs[k].length)
              .toFixed(1),
        ]);
      }
    }
    for (const child of children) await child.close();
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const averages = names.slice(1).map((name, k) => `${name} ${mean(kinds[k + 1]).toFixed(2)}`).join(", ");
    return {
      report:
        `Up to ${most} tokens each, ${prompts} prompts of each kind, decoding only (after the first token), the quickest of ${TURNS} ` +
        `turns, weights exact. Median of the prompts and their middle half. Mean of the kinds' medians over plain: ${averages}.\n\n` +
        table(
          [
            "kind",
            "drafter",
            "same text",
            "tokens per pass",
            "rows per pass",
            "tokens/s",
            "over plain",
            "drafting, % of the time",
          ],
          rows,
        ),
    };

    async function ids(text: string): Promise<number[]> {
      return (await children[0].ask<{ ids: number[] }>("prompt", { text })).ids;
    }
  },
};

export default suite;

/** Tokens per second after the first. */
function rate({ tokens, ms, firstMs }: Generated): number {
  return (tokens.length - 1) / (ms - firstMs) * 1000;
}

/** What stands after `--name=`. */
function option(name: string): string | undefined {
  return process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}
