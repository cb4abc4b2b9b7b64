// What a second run with --store gains over a first one: prompts like those of the first, whose answers are in the store,
// beside the same prompts without a store. By `hunch bench`; goes on where it was stopped (bench/out/reuse-…).
//
//   npm run bench -- reuse --docs
//   npm run bench -- reuse --prompts=3 --tokens=24           a try
import { readdirSync, readFileSync } from "node:fs";
import { DATA_SETS, tasksOf } from "../../cli/bench/data.ts";
import type { Results, Row } from "../../cli/bench/results.ts";
import { intervalText } from "../../cli/bench/words.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import { hunchBench, storeAnswers, writeRequests } from "../hunch-bench.ts";
import { table } from "../report.ts";
import { THREADS } from "../setup.ts";
import { count, type Suite } from "../suite.ts";

/** Characters of a text that is summarised or edited. */
const LONGEST = 1000;
const FOLDER = `${ROOT}plugins/drafters/`;

const suite: Suite = {
  summary: "A second run with --store: what answers to prompts like these are worth, clock-free and by the clock",
  options: { prompts: "N", tokens: "N" },
  async run() {
    const [prompts, tokens] = [count("prompts", 15), count("tokens", 64)];
    const all = await requests(2 * prompts);
    const [first, second] = [0, 1].map((half) => all.filter((_, i) => i % 2 === half));
    const name = `reuse-${prompts}x${tokens}`;
    await storeAnswers(name, first.map(({ prompt }) => ({ prompt })), tokens);
    const data = writeRequests(name, second);
    const measured = async (folder: string, more: readonly string[]) =>
      await hunchBench(`${name}-${folder}`, [
        ...["--backend", "onnx", "--format", "exact", "--threads", String(THREADS)],
        ...["--data", data, "--prompts", String(prompts), "-n", String(tokens), ...more],
      ]);
    const without = await measured("without", ["-d", "lookup", "-d", "auto"]);
    const stored = ["-d", "lookup", "-d", "auto", "-d", "merge:lookup,rest", "-d", "rest"];
    const withStore = await measured("with", ["--store", name, ...stored]);
    return { report: reportOf(without, withStore, first.length) };
  },
};

export default suite;

/** Of each kind `count`: neighbours are alike, and go to different runs. */
async function requests(count: number): Promise<{ id: string; kind: string; prompt: string }[]> {
  const tasks = await tasksOf(DATA_SETS, count);
  const of = (kind: string) => tasks.filter((task) => task.kind === kind);
  const summaries = of("summarisation").map(({ id, text }) => ({
    id,
    kind: "summaries of one style",
    prompt:
      "Report on this text in our style. Write four lines, which begin with WHO:, WHAT:, WHEN: and WHY IT MATTERS:, " +
      `and nothing else.\n\n${text.replace(/^Summarize: /, "").slice(0, LONGEST)}`,
  }));
  const functions = of("HumanEval").map(({ id, text }) => ({ id, kind: "functions to complete", prompt: text }));
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts")).slice(0, count).map((name) => ({
    id: name,
    kind: "files of one code base",
    prompt: "Give this file back without the word readonly, otherwise unchanged.\n\n```ts\n" +
      `${readFileSync(FOLDER + name, "utf8").slice(0, LONGEST)}\n\`\`\``,
  }));
  return [summaries, functions, files].flat();
}

function reportOf(without: Results, withStore: Results, first: number): string {
  const kinds = [undefined, ...new Set(without.facts.map(({ kind }) => kind))];
  const lines = kinds.flatMap((kind) =>
    withStore.settings.slice(1).map(({ drafter }) => { // the first is plain decoding
      const of = ({ rows, settings }: Results, drafter: string) => {
        const setting = settings.find((setting) => setting.drafter === drafter)?.name;
        return rows.find((row) => row.setting === setting && row.kind === kind);
      };
      const own = of(withStore, drafter);
      const before = of(without, drafter) ?? of(without, "auto"); // what a first run has without naming a store
      if (own?.speedup === undefined || before?.speedup === undefined) return [];
      const cells = (row: Row) => [row.tokensPerPass.toFixed(2), row.rowsPerPass.toFixed(1)];
      const gained = [own.tokensPerPass / before.tokensPerPass, own.speedup.median / before.speedup!.median];
      return [kind ?? "all", `\`${drafter}\``, ...cells(before), ...cells(own), ...gained.map((x) => x.toFixed(2))]
        .concat([intervalText(before.speedup!, 2), intervalText(own.speedup, 2)]);
    }).filter((line) => line.length > 0)
  );
  return `The default model, greedy, up to ${without.maxTokens} tokens. First run: plain answers to ${first} prompts, kept by ` +
    `--store. Second run: ${withStore.facts.length} others like them, with that store, beside the same prompts without it ` +
    "(for `rest` and `merge`, beside `auto` without it). Gained: with over without. Tokens and rows per pass know no clock " +
    "but the cost curve that the controller goes by.\n\n" +
    table(
      [
        "prompts",
        "drafter",
        "tokens per pass without",
        "rows",
        "with",
        "rows with",
        "gained, tokens per pass",
        "gained, speed",
      ]
        .concat(["over plain without", "over plain with"]),
      lines,
    );
}
