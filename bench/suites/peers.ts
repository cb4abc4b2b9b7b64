// hunch and node-llama-cpp (llama.cpp) answering the same prompts, greedily, on the same file with the same threads, in
// turns: plain, with prompt lookup, and with a draft model where one is named.
//
//   npm run bench -- peers                                    two prompts of each kind, the default model
//   npm run bench -- peers --model=big.gguf --draft=small.gguf --prompts=4 --tokens=128
//
// transformers.js is not among them: it reads no GGUF, and other weights would be compared.
import { type Child, hunch, llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { ratios, show, spread, table } from "../report.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";
import { option, type Suite } from "../suite.ts";
import type { Generated } from "../worker.ts";
import { workloads } from "../workloads.ts";

const CONTEXT = 4096;
/** How often everybody answers a prompt; the quickest counts, since the slower ones had company on the machine. */
const TURNS = 2;

interface Contender {
  readonly name: string;
  readonly child: Child;
  readonly options: object;
}

const suite: Suite = {
  summary:
    "hunch and node-llama-cpp on the same prompts and file: plain, prompt lookup, a draft model; tokens per second",
  async run() {
    const version = await installPeers();
    const path = option("model") ?? DEFAULT_MODEL;
    const draft = option("draft");
    const most = Number(option("tokens") ?? 96);
    const load = { path, threads: THREADS, context: CONTEXT };
    const theirs = llama();
    await theirs.ask("load", { ...load, draft });
    const ours: Contender[] = [];
    for (const drafter of ["none", "lookup", ...draft === undefined ? [] : [`model:${draft}`]]) {
      const child = hunch();
      await child.ask("load", { ...load, drafter, format: "auto" });
      ours.push({
        name: `hunch ${drafter === "none" ? "plain" : drafter.replace(/^model:.*/, "draft model")}`,
        child,
        options: {},
      });
    }
    const peer = (name: string, options: object): Contender => ({
      name: `node-llama-cpp ${name}`,
      child: theirs,
      options,
    });
    const all = [
      ...ours,
      peer("plain", {}),
      peer("lookup", { lookup: true }),
      ...draft === undefined ? [] : [peer("draft model", { drafted: true })],
    ];
    const ids = async (text: string) => (await ours[0].child.ask<{ ids: number[] }>("prompt", { text })).ids;
    const warm = await ids("Warm up.");
    for (const { child, options } of all) await child.ask("generate", { prompt: warm, max: 16, ...options });

    const rows: string[][] = [];
    for (const [kind, texts] of Object.entries(await workloads(Number(option("prompts") ?? 2)))) {
      const rates: number[][] = all.map(() => []);
      let same = 0;
      for (const [i, text] of texts.entries()) {
        const prompt = (await ids(text)).slice(-(CONTEXT - most));
        const quickest: Generated[] = [];
        for (let turn = 0; turn < TURNS * all.length; turn++) {
          const k = (turn + i) % all.length; // who goes first changes from prompt to prompt
          const { child, options } = all[k];
          const run = await child.ask<Generated>("generate", { prompt, max: most, ...options });
          if (quickest[k] === undefined || rate(run) > rate(quickest[k])) quickest[k] = run;
        }
        if (ours.every((_, k) => quickest[k].tokens.join() === quickest[0].tokens.join())) same++;
        if (quickest.some(({ tokens }) => tokens.length < 8)) continue;
        quickest.forEach((run, k) => rates[k].push(rate(run)));
        console.error(
          `${kind} ${i + 1}/${texts.length}: ${quickest.map((run) => rate(run).toFixed(1)).join(" ")} tokens/s`,
        );
      }
      if (rates[0].length === 0) continue;
      const plain = all.findIndex(({ name }) => name === "node-llama-cpp plain");
      rows.push([
        kind,
        `${same} of ${texts.length}`,
        ...rates.map((own, k) => {
          const over = k === plain ? "" : ` · ${spread(ratios(own, rates[plain])).median.toFixed(2)}×`;
          return show(spread(own), 1) + over;
        }),
      ]);
    }
    for (const child of new Set(all.map(({ child }) => child))) await child.close();
    return {
      report:
        `Up to ${most} tokens each, decoding only (after the first token), tokens per second, the quickest of ${TURNS} turns; ` +
        `after · over node-llama-cpp plain. "Same text": hunch's own answers are equal token for token.\n\n` +
        table(["work", "same text", ...all.map(({ name }) => name)], rows),
      versions: { "node-llama-cpp": version },
    };
  },
};

export default suite;

/** Tokens per second after the first. */
function rate({ tokens, ms, firstMs }: Generated): number {
  return (tokens.length - 1) / (ms - firstMs) * 1000;
}
