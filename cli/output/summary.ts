// What an answer cost and what drafting brought, in a few lines for people.
import type { FinishReason } from "../../src/round/generate.ts";
import type { Stats } from "../../src/stats.ts";
import type { Paint } from "./colour.ts";

/** A speed-up over plain decoding in the fastest weight format that keeps the same promise. */
export interface OverFastest {
  readonly value: number;
  readonly format: string;
  /** From the cost curves of the formats: they were not run beside this answer. */
  readonly how: "estimated";
}

export interface Summary {
  readonly stats: Stats;
  readonly finish: FinishReason;
  readonly maxTokens: number;
  readonly context: number;
  /** Where the answer was sampled. */
  readonly seed?: string;
  readonly overFastest?: OverFastest;
  /** Names and weight formats of the engines that run draft models. */
  readonly draftEngines?: readonly string[];
  /** Where `--backend auto` chose just now: what it took, and why. */
  readonly choice?: string;
  /** Where `--format auto` chose among several formats: how. */
  readonly format?: string;
  /** Where `hunch tune` chose the methods: when. */
  readonly tuned?: string;
  /** The weights are no model's. */
  readonly randomWeights?: boolean;
}

/** Depths of a draft that are shown one by one. */
const MOST_DEPTHS = 8;

/** Two to seven lines, not cut to any width. */
export function summaryLines(summary: Summary, paint: Paint): string[] {
  const { stats } = summary;
  return [speedLine(summary, paint), draftLine(stats, paint), sourceLine(stats, paint), speedupLine(summary, paint)]
    .concat(methodLine(summary, paint))
    .concat(summary.choice === undefined ? [] : paint.dim(summary.choice))
    .filter((line) => line !== "");
}

/** The same in one line, for conversations. */
export function shortSummary({ stats, finish }: Summary): string {
  const parts = [`${stats.tokens} tokens`, `${fixed(tokensPerSecond(stats))} tokens/s`];
  if (stats.drafted > 0) parts.push(`${fixed(tokensPerPass(stats), 2)} tokens per pass`);
  if (stats.speedup) parts.push(`${fixed(stats.speedup.value, 2)}× plain (${stats.speedup.how})`);
  if (finish === "length" || finish === "context" || finish === "aborted") parts.push(ENDINGS[finish]);
  return parts.join(" · ");
}

/** What --overflow truncate did, where no summary says it. */
export function cutLine(droppedTokens: number): string {
  return `the prompt is too long for the context: its oldest ${droppedTokens} tokens were left out`;
}

const ENDINGS = {
  length: "stopped at --max-tokens",
  context: "stopped: the context is full",
  aborted: "interrupted",
} as const;

/** While decoding: the prompt's pass is told apart. */
export function tokensPerSecond({ tokens, decodeMs }: Stats): number {
  return decodeMs > 0 ? tokens / decodeMs * 1000 : 0;
}

export function tokensPerPass({ tokens, passes }: Stats): number {
  return passes > 0 ? tokens / passes : 0;
}

function speedLine({ stats, finish, maxTokens, context }: Summary, paint: Paint): string {
  const parts = [
    paint.bold(`${fixed(tokensPerSecond(stats))} tokens/s`),
    `${fixed(tokensPerPass(stats), 2)} tokens per pass`,
    `${stats.tokens} tokens in ${seconds(stats.decodeMs)}`,
    `first after ${seconds(stats.firstTokenMs)} (prompt ${stats.promptTokens}${
      stats.reusedTokens > 0 ? `, ${stats.reusedTokens} kept` : ""
    })`,
  ];
  if (finish === "length") parts.push(`stopped at ${maxTokens} tokens`);
  if (finish === "context") parts.push(`stopped: the context of ${context} tokens is full`);
  if (finish === "aborted") parts.push("interrupted");
  if (stats.droppedTokens > 0) parts.push(`${stats.droppedTokens} oldest prompt tokens dropped`);
  return parts.join(paint.dim(" · "));
}

function draftLine(stats: Stats, paint: Paint): string {
  if (stats.drafted === 0) return "";
  const reached = stats.offeredAt.map((offered, depth) => offered > 0 ? (stats.acceptedAt[depth] ?? 0) / offered : 0);
  const depths = reached.slice(0, MOST_DEPTHS).map((share) => Math.round(share * 100)).join(" ");
  const more = reached.length > MOST_DEPTHS ? " …" : "";
  const share = (ms: number) => `${Math.round(ms / stats.decodeMs * 100)}%`;
  const other = Math.max(0, stats.decodeMs - stats.draftMs - stats.verifyMs);
  return [
    `${paint.accepted(`${stats.accepted} accepted`)} of ${stats.drafted} drafted`,
    `by depth ${depths}${more} %`,
    `time: drafting ${share(stats.draftMs)}, verifying ${share(stats.verifyMs)}, other ${share(other)}`,
  ].join(paint.dim(" · "));
}

/** What became of what each source drafted, the most asked first. */
function sourceLine({ bySource }: Stats, paint: Paint): string {
  const sources = Object.entries(bySource).sort(([, a], [, b]) => b.judged - a.judged);
  if (sources.length === 0) return "";
  const parts = sources.map(([source, { judged, accepted }]) =>
    `${source} ${Math.round(100 * accepted / judged)}% of ${judged}`
  );
  return `accepted by source: ${parts.join(paint.dim(" · "))}`;
}

function speedupLine({ stats, overFastest }: Summary, paint: Paint): string {
  const parts: string[] = [];
  const { format } = stats.method;
  if (stats.speedup && stats.drafted > 0) {
    const { value, how } = stats.speedup;
    const text = `${fixed(value, 2)}× plain decoding in ${format} (${how})`;
    parts.push(value >= 1 ? paint.good(text) : paint.bad(text));
  }
  if (overFastest) {
    const { value, format: fastest, how } = overFastest;
    const what = fastest === format
      ? `${format} is the fastest format`
      : `${fixed(value, 2)}× the fastest, ${fastest} (${how})`;
    parts.push(what);
  }
  if (stats.plainRounds > 0) {
    const all = stats.plainRounds === stats.rounds;
    parts.push(
      all
        ? "drafting would have lost: decoded plainly"
        : `drafting stopped for ${stats.plainRounds} of ${stats.rounds} rounds, where it lost`,
    );
  }
  return parts.join(paint.dim(" · "));
}

function methodLine(
  { stats, seed, format: how, draftEngines = [], tuned, randomWeights }: Summary,
  paint: Paint,
): string {
  const { drafter, rule, controller, engine, format, lossless } = stats.method;
  const target = how === undefined ? `${engine} ${format}` : `${engine} ${format} (${how})`;
  const parts = [
    `${drafter}, ${rule}, ${controller}`,
    draftEngines.length > 0 ? `${target}, drafts on ${draftEngines.join(" and ")}` : target,
    lossless ? "lossless" : paint.bad("relaxed: the text may differ from the model's own"),
  ];
  if (tuned !== undefined) parts.push(`as tuned on ${tuned}`);
  if (randomWeights) parts.push(paint.bad("random weights: only the times of passes mean something"));
  if (seed !== undefined) parts.push(`seed ${seed}`);
  if (stats.leftOut > 0) {
    parts.push(`${stats.leftOut} drafted tokens left out, whose scores would not be exact`);
  }
  return paint.dim(parts.join(" · "));
}

function fixed(value: number, digits = value < 10 ? 1 : 0): string {
  return value.toFixed(digits);
}

function seconds(ms: number): string {
  return ms < 9950 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}
