// Prompt lookup against plain decoding, greedy: the same text, and how much sooner. Beside node-llama-cpp's own lookup.
import { hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../run.ts";
import { DEFAULT_MODEL, specBench, THREADS } from "../setup.ts";
import type { Generated } from "../worker.ts";

/** Category and number of prompts. */
const SETS: readonly (readonly [string, number])[] = [
  ["summarization", 8],
  ["extraction", 4],
  ["translation", 4],
  ["coding", 4],
  ["qa", 4],
];
const MAX_TOKENS = 96;
const CONTEXT = 4096;

const suite: Suite = {
  summary: "Greedy text with `lookup` and without, on Spec-Bench: identical or not, and the ratio of tokens per second",
  async run() {
    const peer = await installPeers();
    const without = hunch(), withLookup = hunch(), theirs = llama();
    const load = { path: DEFAULT_MODEL, threads: THREADS, context: CONTEXT };
    const { format } = await withLookup.ask<{ format: string }>("load", { ...load, drafter: "lookup" });
    await without.ask("load", { ...load, drafter: "none", format });
    await theirs.ask("load", load);
    for (const child of [without, withLookup]) await child.ask("generate", { prompt: await ids("Warm up."), max: 16 });

    const rows = [];
    for (const [category, count] of SETS) {
      const rates: number[][] = [[], [], [], []];
      const perPass: number[] = [];
      let same = 0;
      for (const [i, { text }] of specBench(category, count).entries()) {
        const prompt = await ids(text);
        const runs = [
          () => without.ask<Generated>("generate", { prompt, max: MAX_TOKENS }),
          () => withLookup.ask<Generated>("generate", { prompt, max: MAX_TOKENS }),
          () => theirs.ask<Generated>("generate", { prompt, max: MAX_TOKENS }),
          () => theirs.ask<Generated>("generate", { prompt, max: MAX_TOKENS, lookup: true }),
        ];
        // Who goes first changes from prompt to prompt.
        const done: Generated[] = [];
        for (let k = 0; k < runs.length; k++) done[(k + i) % runs.length] = await runs[(k + i) % runs.length]();
        console.error(`${category} ${i + 1}/${count}: ${done.map((run) => rate(run).toFixed(1)).join(" ")} tokens/s`);
        if (done[0].tokens.join() === done[1].tokens.join()) same++;
        if (done.some(({ tokens }) => tokens.length < 8)) continue;
        done.forEach((run, k) => rates[k].push(rate(run)));
        perPass.push(done[1].stats.tokens / done[1].stats.passes);
      }
      const [plain, fast, peerPlain, peerFast] = rates;
      rows.push([
        category,
        `${same} of ${count}`,
        show(spread(perPass)),
        show(spread(plain), 1),
        show(spread(fast), 1),
        show(spread(ratios(fast, plain))),
        show(spread(ratios(peerFast, peerPlain))),
        show(spread(ratios(fast, peerFast))),
      ]);
    }
    for (const child of [without, withLookup, theirs]) await child.close();
    const head = [
      "prompts",
      "same text",
      "tokens per pass",
      "plain, tokens/s",
      "lookup, tokens/s",
      "lookup / plain",
      "node-llama-cpp: lookup / plain",
      "hunch lookup / node-llama-cpp lookup",
    ];
    return {
      report: `Up to ${MAX_TOKENS} tokens each, decoding only (after the first token), weights ${format}.\n\n` +
        table(head, rows),
      versions: { "node-llama-cpp": peer },
    };

    async function ids(text: string): Promise<number[]> {
      return (await without.ask<{ ids: number[] }>("prompt", { text })).ids;
    }
  },
};

export default suite;

/** Tokens per second after the first. */
function rate({ tokens, ms, firstMs }: Generated): number {
  return (tokens.length - 1) / (ms - firstMs) * 1000;
}
