// Prompt lookup against plain decoding, greedy: the same text, and how much sooner. Beside node-llama-cpp's own lookup.
import { hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../run.ts";
import { DEFAULT_MODEL, specBench, THREADS } from "../setup.ts";
import type { Generated } from "../worker.ts";

/** Category and number of prompts. */
const SETS: readonly (readonly [string, number])[] = [
  ["summarization", 16],
  ["extraction", 6],
  ["translation", 6],
  ["coding", 6],
  ["qa", 6],
];
const MAX_TOKENS = 128;
const CONTEXT = 4096;

const suite: Suite = {
  summary: "Greedy text with `lookup` and without, on Spec-Bench: identical or not, and the ratio of tokens per second",
  async run() {
    const peer = await installPeers();
    const ours = hunch(), theirs = llama();
    const load = { path: DEFAULT_MODEL, threads: THREADS, context: CONTEXT };
    const { format } = await ours.ask<{ format: string }>("load", { ...load, format: "auto" });
    await theirs.ask("load", load);
    await ours.ask("generate", { prompt: await ids("Warm up."), drafter: "lookup", max: 16 });

    const rows = [];
    for (const [category, count] of SETS) {
      const plain: number[] = [], fast: number[] = [], peerPlain: number[] = [], peerFast: number[] = [];
      const perPass: number[] = [];
      let same = 0;
      for (const [i, { text }] of specBench(category, count).entries()) {
        const prompt = await ids(text);
        const ask = (drafter: string) => ours.ask<Generated>("generate", { prompt, drafter, max: MAX_TOKENS });
        const askPeer = (lookup: boolean) => theirs.ask<Generated>("generate", { prompt, lookup, max: MAX_TOKENS });
        // Who goes first alternates.
        const first = await ask(i % 2 ? "lookup" : "none"), second = await ask(i % 2 ? "none" : "lookup");
        const [without, withLookup] = i % 2 ? [second, first] : [first, second];
        if (without.tokens.join() === withLookup.tokens.join()) same++;
        const [peerWithout, peerWith] = [await askPeer(false), await askPeer(true)];
        if (without.tokens.length < 8 || peerWithout.tokens.length < 8) continue;
        plain.push(rate(without));
        fast.push(rate(withLookup));
        peerPlain.push(rate(peerWithout));
        peerFast.push(rate(peerWith));
        perPass.push(withLookup.tokensPerPass);
      }
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
    await ours.close();
    await theirs.close();
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
      return (await ours.ask<{ ids: number[] }>("prompt", { text })).ids;
    }
  },
};

export default suite;

/** Tokens per second after the first. */
function rate({ tokens, ms, firstMs }: Generated): number {
  return (tokens.length - 1) / (ms - firstMs) * 1000;
}
