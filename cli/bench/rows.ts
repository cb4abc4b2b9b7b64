// For each setting and kind of work: medians with intervals, and shares of all that happened.
import { type CostPoint, interpolateCost as costAt, passesCost } from "../../kernels/cost.ts";
import { key, kindOf, type Measured, rate, type Row, SHORT, type Unsummed } from "./results.ts";
import type { Run } from "./stand.ts";
import { type Interval, median, stratified } from "./statistics.ts";

/** For each setting all kinds together, then each kind where there are several, unless `apart` is false. */
export function rowsOf(
  { settings, facts, runs, curve, fastest, memory }: Pick<
    Unsummed,
    "settings" | "facts" | "runs" | "curve" | "fastest" | "memory"
  >,
  { apart = true }: { readonly apart?: boolean } = {},
): Row[] {
  const kinds = [...new Set(facts.map(({ kind }) => kind))];
  const plain = new Map(runs.filter(({ setting }) => setting === settings[0].name).map((run) => [place(run), run]));
  return settings.flatMap(({ name }) => {
    const own = runs.filter((run) =>
      run.setting === name && run.tokens >= SHORT && plain.get(place(run)) !== undefined &&
      plain.get(place(run))!.tokens >= SHORT
    );
    const ofKind = (kind: string) => own.filter(({ prompt }) => kindOf(prompt) === kind);
    const groups = kinds.map(ofKind).filter((group) => group.length > 0);
    if (groups.length === 0) return [];
    const all = rowOf(name, undefined, groups);
    if (kinds.length === 1 || !apart) return [all];
    return [all, ...kinds.flatMap((kind) => ofKind(kind).length > 0 ? [rowOf(name, kind, [ofKind(kind)])] : [])];
  });

  function rowOf(setting: string, kind: string | undefined, groups: readonly Measured[][]): Row {
    const all = groups.flat();
    const sum = (value: (run: Measured) => number) => all.reduce((total, run) => total + value(run), 0);
    const comparable = all.filter(({ same }) => same !== undefined);
    const prompts = new Set(all.map(({ prompt }) => prompt));
    const time = sum(({ decodeMs }) => decodeMs);
    const isPlain = setting === settings[0].name;
    const share = (of: (run: Measured) => number) => sum(of) / time;
    const [drafting, verifying] = [share(({ draftMs }) => draftMs), share(({ verifyMs }) => verifyMs)];
    const relaxed = all.filter(({ logProbability }) => logProbability !== undefined);
    const speedup = isPlain
      ? undefined
      : stratified(perPrompt(groups, (run) => rate(run) / rate(plain.get(place(run))!)));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    return {
      setting,
      ...kind === undefined ? {} : { kind },
      prompts: prompts.size,
      ...comparable.length < all.length ? {} : {
        same: [...prompts].filter((prompt) => all.every((run) => run.prompt !== prompt || run.same)).length,
      },
      tokensPerSecond: stratified(perPrompt(groups, rate)),
      ...isPlain ? {} : {
        speedup,
        expected: median(
          perPrompt(groups, (run) => run.tokens * costAt(curve, 1) / (run.draftMs + expectedMs(run, curve))).flat(),
        ),
      },
      ...fastest === undefined || fastest.share === 1 ? {} : { overFastest: scaled(speedup, fastest.share) },
      tokensPerPass: sum(({ tokens }) => tokens) / sum(({ passes }) => passes),
      rowsPerPass: sum(({ rows }) => rows) / sum(({ passes }) => passes),
      byDepth: shares(all.map(({ offeredAt }) => offeredAt), all.map(({ acceptedAt }) => acceptedAt)),
      byRank: shares(all.map(({ ranks }) => ranks.offered), all.map(({ ranks }) => ranks.accepted)),
      bySource: sourceShares(all),
      time: { drafting, verifying, other: Math.max(0, 1 - drafting - verifying) },
      firstTokenMs: median(all.filter(({ turn }) => turn === 0).map((run) => run.firstMs + promptMs(run))),
      ...kind !== undefined || memory?.bytes[setting] === undefined ? {} : { memory: memory.bytes[setting] },
      ...relaxed.length === 0 ? {} : { logProbability: mean(relaxed.map((run) => run.logProbability!)) },
      ...relaxed.some(({ foreign }) => foreign !== undefined)
        ? { foreign: sum(({ foreign = 0, tokens }) => foreign * tokens) / sum(({ tokens }) => tokens) }
        : {},
    };
  }

  function promptMs({ prompt }: Measured): number {
    return facts.find((fact) => key(fact) === prompt)?.ms ?? 0;
  }
}

/** A speed-up, 1 of plain decoding, over what takes `share` of the time. */
function scaled(speedup: Interval | undefined, share: number): Interval {
  if (speedup === undefined) return { low: share, median: share, high: share, range: true };
  return { ...speedup, low: share * speedup.low, median: share * speedup.median, high: share * speedup.high };
}

/** A run's place: what is measured there stands side by side. */
function place({ prompt, turn }: Measured): string {
  return `${turn} ${prompt}`;
}

/** In each group one number per prompt: the median over its turns. */
function perPrompt(groups: readonly (readonly Measured[])[], value: (run: Measured) => number): number[][] {
  return groups.map((group) => {
    const prompts = Map.groupBy(group, ({ prompt }) => prompt);
    return [...prompts.values()].map((runs) => median(runs.map(value)));
  });
}

/** Milliseconds of a run's passes by the curve. */
function expectedMs({ widths }: Run, curve: readonly CostPoint[]): number {
  return passesCost(widths, (rows) => costAt(curve, rows));
}

/** A share of fewer than these says nothing: lists end before the first. */
const FEW = 8;

/** By source, as far as enough of it was judged. */
function sourceShares(runs: readonly Run[]): Record<string, number> {
  const all = runs.flatMap(({ bySource }) => Object.entries(bySource));
  return Object.fromEntries(
    [...Map.groupBy(all, ([source]) => source)].flatMap(([source, seen]) => {
      const total = (of: "judged" | "accepted") => seen.reduce((sum, [, counts]) => sum + counts[of], 0);
      return total("judged") >= FEW ? [[source, total("accepted") / total("judged")]] : [];
    }),
  );
}

function shares(offered: readonly (readonly number[])[], accepted: readonly (readonly number[])[]): number[] {
  const total = (lists: readonly (readonly number[])[], i: number) =>
    lists.reduce((sum, list) => sum + (list[i] ?? 0), 0);
  const out: number[] = [];
  for (let all = total(offered, 0); all >= FEW; all = total(offered, out.length)) {
    out.push(total(accepted, out.length) / all);
  }
  return out;
}
