// Results as Markdown: where they were measured, what to beware of, and a table with the kinds of work apart.
import { markdownTable } from "../output/table.ts";
import { visible } from "../output/visible.ts";
import { machineFacts } from "./machine.ts";
import { type Results, type Row, SHORT } from "./results.ts";
import { CONFIDENCE, LEAST_PROMPTS } from "./statistics.ts";
import { intervalText, percent, speedText } from "./words.ts";

/** How many depths and ranks are shown one by one. */
const MOST_SHOWN = 8;

/** Names and values of everything that the numbers depend on. */
export function factsOf(results: Results): [name: string, value: string][] {
  return rawFacts(results).map(([name, value]) => [name, visible(value)]);
}

function rawFacts(results: Results): [name: string, value: string][] {
  const { model, engine, format, strict, data, facts, maxTokens, turns, sampling, seed, started, peakMiB } = results;
  const { temperature } = sampling;
  const { fastest } = results;
  const beside = fastest === undefined
    ? "; no other format was measured here (hunch model quality), so nothing is said over the fastest"
    : fastest.share === 1
    ? ", the fastest format here"
    : `; a plain pass in ${fastest.format}, the fastest format here, takes ${fastest.share.toFixed(2)} of the time`;
  return [
    ["model", `${model.title} (${model.hash.slice(0, 12)})`],
    ["engine", `${engine} ${format}${strict ? "" : ", not strict"}${beside}`],
    ["prompts", `${facts.length} of ${data.join(", ")}`],
    [
      "answers",
      `up to ${maxTokens} tokens, ${temperature === 0 ? "greedy" : `temperature ${temperature}, seed ${seed}`}`,
    ],
    ["turns", String(turns)],
    ["peak memory", `${peakMiB.toFixed(0)} MiB, all settings in one process`],
    ...machineFacts(results.machine),
    ["measured", started.slice(0, 16).replace("T", " ")],
    ["command", results.command],
  ];
}

export const HOW = `Medians of the prompts; in brackets the interval that holds the true median in ${
  Math.round(100 * CONFIDENCE)
} of 100 experiments (bootstrap), or of fewer than ${LEAST_PROMPTS} prompts their range. Speeds are of decoding, after the prompt's own pass; "over plain" compares each answer with the plain answer beside it, and "by the curve" gives each pass the time that was measured beforehand, and adds the drafting.`;

/** In place of a table without rows. */
export const NOTHING =
  `No answer had ${SHORT} tokens, so nothing is said of speed; ask for longer answers (-n) or other prompts.`;

export function markdown(results: Results): string {
  const facts = factsOf(results).map(([name, value]) => `- ${name}: ${value}`).join("\n");
  const warnings = results.warnings.map((warning) => `> **Beware:** ${visible(warning)}.`).join("\n>\n");
  return [
    "# hunch bench",
    facts,
    ...warnings ? [warnings] : [],
    ...results.rows.length > 0 ? [HOW, tableOf(results.rows)] : [NOTHING],
  ].join("\n\n") + "\n";
}

export const COLUMNS: readonly (readonly [head: string, cell: (row: Row) => string])[] = [
  ["setting", ({ setting, kind }) => kind === undefined ? setting : ""],
  ["work", ({ kind }) => kind ?? "all"],
  ["prompts", ({ prompts }) => String(prompts)],
  ["same text", ({ same, prompts }) => same === undefined ? "–" : `${same} of ${prompts}`],
  ["tokens/s", ({ tokensPerSecond }) => intervalText(tokensPerSecond)],
  ["over plain", speedText],
  [
    "over the fastest format",
    ({ overFastest }) => overFastest === undefined ? "" : `${intervalText(overFastest, 2)}×`,
  ],
  ["by the curve", ({ expected }) => expected === undefined ? "" : expected.toFixed(2)],
  ["tokens per pass", ({ tokensPerPass }) => tokensPerPass.toFixed(2)],
  ["rows per pass", ({ rowsPerPass }) => rowsPerPass.toFixed(1)],
  ["accepted by depth, %", ({ byDepth }) => shareList(byDepth)],
  ["by child, %", ({ byRank }) => byRank.length > 1 ? shareList(byRank) : ""],
  [
    "by source, %",
    ({ bySource }) =>
      Object.entries(bySource).map(([source, share]) => `${source} ${Math.round(100 * share)}`).join(", "),
  ],
  [
    "drafting · verifying · other",
    ({ time }) => [time.drafting, time.verifying, time.other].map((share) => percent(share)).join(" · "),
  ],
  ["drafter holds, MB", ({ memory }) => memory === undefined ? "" : (memory / 1e6).toFixed(1)],
  ["first token, ms", ({ firstTokenMs }) => firstTokenMs.toFixed(0)],
  [
    "not the target's",
    ({ foreign, logProbability }) =>
      [
        foreign === undefined ? "" : percent(foreign, 1),
        logProbability === undefined ? "" : `ln p ${logProbability.toFixed(2)}`,
      ]
        .filter((text) => text !== "").join(", "),
  ],
];

/** Columns that no row has anything in are left out. */
export function cellsOf(rows: readonly Row[]): { readonly head: string[]; readonly cells: string[][] } {
  const used = COLUMNS.filter(([, cell]) => rows.some((row) => cell(row) !== ""));
  return { head: used.map(([head]) => head), cells: rows.map((row) => used.map(([, cell]) => visible(cell(row)))) };
}

function tableOf(rows: readonly Row[]): string {
  const { head, cells } = cellsOf(rows);
  return markdownTable(head, cells, 2);
}

function shareList(shares: readonly number[]): string {
  const shown = shares.slice(0, MOST_SHOWN).map((share) => Math.round(100 * share)).join(" ");
  return shares.length > MOST_SHOWN ? `${shown} …` : shown;
}
