// Every drafter on every data set inside hunch, beside plain decoding, by `hunch bench`: what is accepted, tokens and rows
// per pass and memory; and what the clock says, apart. Stopped and started again it goes on where it was, until
// bench/out/drafters-… are removed.
//
//   npm run bench -- drafters --docs                         six prompts of each kind, 64 tokens; writes the page
//   npm run bench -- drafters --prompts=1 --tokens=16        a try
//   npm run bench -- drafters --seconds=900                  what there is time for
import { factsOf } from "../../cli/bench/markdown.ts";
import { kindOf, type Measured, type Results, type Row } from "../../cli/bench/results.ts";
import { intervalText, percent } from "../../cli/bench/words.ts";
import { DATA_SETS, type Task, tasksOf } from "../../cli/bench/data.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import { MEASURED, ONE_OF_EACH, SIZE, WITH_DRAFT } from "../drafters.ts";
import { hunchBench, storeAnswers } from "../hunch-bench.ts";
import { table } from "../report.ts";
import { STORIES, THREADS } from "../setup.ts";
import { option, type Suite } from "../suite.ts";

const STORE = "answers";

const suite: Suite = {
  summary: "Every drafter on every data set: acceptance, tokens and rows per pass, memory; and, apart, speed",
  options: { prompts: "N", tokens: "N", seconds: "N" },
  async run() {
    const { prompts, tokens } = SIZE;
    const seconds = option("seconds");
    const store = `${STORE}-${prompts}x${tokens}`;
    await storeAnswers(store, await otherRequests(prompts), tokens);
    const measured = async (name: "default" | "stories", drafters: readonly string[], more: readonly string[]) =>
      await hunchBench(MEASURED(name), [
        ...["--backend", "onnx", "--prompts", String(prompts), "-n", String(tokens), ...more],
        ...[...seconds ? ["--seconds", seconds] : [], ...drafters.flatMap((drafter) => ["-d", drafter])],
      ]);
    const own = await measured("default", ONE_OF_EACH(store), ["--format", "exact", "--threads", String(THREADS)]);
    const tiny = ["-m", `${STORIES}stories260K.bin`, "--raw", "--format", "float32", "--threads", "1"];
    const drafted = await measured("stories", WITH_DRAFT, tiny);
    const refused = WITH_DRAFT.filter((spec) => drafted.settings.every(({ drafter }) => drafter !== spec));
    return {
      report: [
        "### Without a draft model",
        `\`${store}\` is a store of the default model's answers to as many other prompts of each kind.`,
        reportOf(own),
        "### With a draft model",
        "No small model of the default model's vocabulary is part of the project, so these draft for stories260K: with " +
        "41,000 parameters and its own 512 tokens, or with another tokenizer, which lacks 17 of them. It goes on with the " +
        "prompts of the same data sets as if they were stories.",
        ...refused.map((spec) => `\`${short(spec)}\` is left out: ${drafted.engine} cannot do what it needs.`),
        reportOf(drafted),
      ].join("\n\n"),
    };
  },
};

export default suite;

/** As many other prompts of each kind as are measured. */
async function otherRequests(prompts: number): Promise<{ prompt: string }[]> {
  const name = ({ kind, id }: Task) => `${kind}/${id}`;
  const measured = new Set((await tasksOf(DATA_SETS, prompts)).map(name));
  const others = (await tasksOf(DATA_SETS, 2 * prompts)).filter((task) => !measured.has(name(task)));
  return others.map(({ text }) => ({ prompt: text }));
}

function reportOf(results: Results): string {
  return [
    factsOf(results).map(([name, value]) => `- ${name}: ${short(value)}`).join("\n"),
    ...results.warnings.map((warning) => `> **Beware:** ${short(warning)}.`),
    withoutClock(results),
    byClock(results),
  ].join("\n\n");
}

function withoutClock(results: Results): string {
  const costs = results.curve.map(({ width, ms }) => `${width} ${ms.toFixed(1)}`).join(", ");
  return "**Without a clock**: tokens per pass · rows per pass · accepted of what was drafted. How much is drafted is for " +
    `the drafter's own controller, which goes by what passes cost here (rows and ms: ${costs}). Memory is what the ` +
    `drafter held after ${results.memory?.prompts ?? 0} prompts.\n\n` +
    byKind(results, {
      cell: (row) =>
        `${row.tokensPerPass.toFixed(2)} · ${row.rowsPerPass.toFixed(1)} · ${percent(accepted(results, row))}`,
      "same text": ({ same, prompts }) => `${same} of ${prompts}`,
      "memory, MB": ({ memory }) => memory === undefined ? "–" : (memory / 1e6).toFixed(1),
    });
}

function byClock(results: Results): string {
  return "**By the clock**: speed over plain decoding of the same prompt beside it, medians. By the curve: each pass at the " +
    "time that was measured beforehand. Drafting: the drafter's own share of the time.\n\n" +
    byKind(results, {
      cell: ({ kind, speedup }) => kind === undefined ? intervalText(speedup!, 2) : speedup!.median.toFixed(2),
      "by the curve": ({ expected }) => expected!.toFixed(2),
      drafting: ({ time }) => percent(time.drafting, 1),
    });
}

/** A line for each drafter: `cell` of all prompts and of each kind of work, then columns of all prompts. */
function byKind(
  { settings, facts, rows }: Results,
  { cell, ...columns }: Readonly<Record<string, (row: Row) => string>>,
): string {
  const kinds = [...new Set(facts.map(({ kind }) => kind))];
  const lines = settings.slice(1).flatMap(({ name, drafter }) => { // the first is plain decoding
    const of = (kind?: string) => rows.find((row) => row.setting === name && row.kind === kind);
    const all = of();
    if (all === undefined) return []; // nothing but short answers
    const cells = kinds.map((kind) => of(kind)).map((row) => row === undefined ? "–" : cell(row));
    return [[`\`${short(drafter)}\``, cell(all), ...cells, ...Object.values(columns).map((column) => column(all))]];
  });
  return table(["drafter", "all", ...kinds, ...Object.keys(columns)], lines);
}

/** The share of what was drafted that was accepted, of a setting on one kind of work or on all. */
function accepted({ runs }: Results, { setting, kind }: Row): number {
  const own = runs.filter((run) => run.setting === setting && (kind === undefined || kindOf(run.prompt) === kind));
  const sum = (of: (run: Measured) => number) => own.reduce((total, run) => total + of(run), 0);
  return sum((run) => run.accepted) / Math.max(1, sum((run) => run.drafted));
}

/** Files by their names. */
const short = (text: string) => text.replaceAll(STORIES, "").replaceAll(ROOT, "");
