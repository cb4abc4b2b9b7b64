// Prompt lookup against plain decoding, greedy: the same text, and how much sooner. With --peer also node-llama-cpp and
// its own lookup; leave that out on a machine with other work, where llama.cpp's threads wait for each other by turning.
import { hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import { flag, type Suite } from "../suite.ts";
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
/** How often everybody answers a prompt; the quickest counts, since the slower ones had company on the machine. */
const TURNS = 3;

const suite: Suite = {
  summary: "Greedy text with `lookup` and without, on Spec-Bench: identical or not, and the ratio of tokens per second",
  options: { peer: "" },
  async run() {
    const peer = flag("peer") ? await installPeers() : undefined;
    const without = hunch(), withLookup = hunch(), theirs = peer === undefined ? undefined : llama();
    const load = { path: DEFAULT_MODEL, threads: THREADS, context: CONTEXT };
    const { format } = await withLookup.ask<{ format: string }>("load", { ...load, drafter: "lookup" });
    await without.ask("load", { ...load, drafter: "none", format });
    await theirs?.ask("load", load);
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
          ...theirs === undefined
            ? []
            : [false, true].map((lookup) => () =>
              theirs.ask<Generated>("generate", { prompt, max: MAX_TOKENS, lookup })
            ),
        ];
        // Who goes first changes from prompt to prompt.
        const done: Generated[] = [];
        for (let turn = 0; turn < TURNS * runs.length; turn++) {
          const k = (turn + i) % runs.length;
          const run = await runs[k]();
          if (done[k] === undefined || rate(run) > rate(done[k])) done[k] = run;
        }
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
        ...theirs === undefined
          ? []
          : [show(spread(ratios(peerFast, peerPlain))), show(spread(ratios(fast, peerFast)))],
      ]);
    }
    for (const child of [without, withLookup, theirs]) await child?.close();
    const head = [
      "prompts",
      "same text",
      "tokens per pass",
      "plain, tokens/s",
      "lookup, tokens/s",
      "lookup / plain",
      ...theirs === undefined ? [] : ["node-llama-cpp: lookup / plain", "hunch lookup / node-llama-cpp lookup"],
    ];
    return {
      report:
        `Up to ${MAX_TOKENS} tokens each, decoding only (after the first token), the quickest of ${TURNS} turns, weights ${format}.\n\n` +
        table(head, rows),
      versions: { ...peer === undefined ? {} : { "node-llama-cpp": peer } } as Record<string, string>,
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
