// hunch tune: the fastest way to draft for this model, on this machine, with these prompts; later runs use it.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { Sampling } from "../../src/sampling.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import type { CostPoint } from "../../kernels/cost.ts";
import { DATA_SETS, type Task, tasksOf } from "../bench/data.ts";
import { commandLine } from "../bench/machine.ts";
import { curveOf } from "../bench/measure.ts";
import { SHORT } from "../bench/results.ts";
import { Stand, type StandOptions } from "../bench/stand.ts";
import { percent } from "../bench/words.ts";
import { openCache } from "../cache/cache.ts";
import { openRegistry } from "../engine/methods.ts";
import { openNamed } from "../engine/models.ts";
import { forgetProfile, mannerOf, type Profile, writeProfile } from "../engine/profile.ts";
import { interruptible } from "../input/interrupt.ts";
import { asOption, samplingOf } from "../input/sampling.ts";
import { Status } from "../output/status.ts";
import { stderr, stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { type Candidate, promisingFormats, tunedSettings } from "./candidates.ts";
import { halve } from "./halving.ts";
import type { TuneCommand } from "./options.ts";
import { Search } from "./search.ts";

/** The share of the time that the search has; the rest is for the last round. */
const SEARCHING = 0.8;
/** From this round on answers are as long as they may be. */
const LAST_ROUND = 9;

/** Returns the exit code. */
export async function tune(options: TuneCommand): Promise<number> {
  const sampling = samplingOf(options, asOption);
  if (options.forget) return await forget(options, sampling);
  if (options.maxTokens < SHORT) {
    throw new HunchError("usage", `answers of ${options.maxTokens} tokens say nothing about a speed`, {
      hint: `give -n ${SHORT} or more`,
    });
  }
  const tasks = await tasksOf(options.data.length > 0 ? options.data : DATA_SETS, options.prompts);
  const [searched, held] = apart(tasks);
  const settings = tunedSettings(options.drafters, options.temperature, await openRegistry(options.plugins));
  const status = new Status();
  const own = { drafter: "none", rule: undefined, controller: undefined, overflow: "truncate" } as const;
  const stand: StandOptions = { ...options, ...own, sampling };
  const clock = () => performance.now();
  try {
    const [plain, standard] = settings;
    const { curves, standard: base } = await costs(stand, options, status);
    const formats = promisingFormats(curves);
    const all = formats.flatMap((format) => settings.map((setting) => ({ format, setting })));
    const untuned = all.find(({ format, setting }) => format === base && setting === standard) ??
      { format: base, setting: standard };
    const search = new Search(stand, plain, searched, status.progress, clock);
    // The search has chosen what did best on its prompts, which flatters it: other prompts tell how good it is.
    const last = new Search(stand, plain, held, status.progress, clock);
    const found = await interruptible(async (signal) => {
      const measure = async (by: Search, some: readonly Candidate[], deadline: number, round: number) => {
        const measured = await by.measure(some, deadline, round, signal, by === last ? last.each : 1);
        signal.throwIfAborted();
        if (round === 0 && measured.length < some.length) {
          status.clear();
          stderr.line(
            `${some.length - measured.length} of ${some.length} settings cannot run here or had no time to begin`,
          );
        }
        return measured;
      };
      const ranked = await halve<Candidate>(all, 1000 * SEARCHING * options.seconds, {
        measure: (some, deadline, round) => measure(search, some, deadline, round),
        score: (candidate) => search.score(candidate, base),
        clock,
        round: (survivors, round, rounds) => {
          status.clear();
          stderr.line(`round ${round + 1} of ${rounds}: ${survivors.length} settings`);
        },
      });
      if (ranked.length === 0 || !(search.score(ranked[0], base) > 0)) throw nothingFound();
      const plains = formats.map((format) => ({ format, setting: plain }));
      const fastest = plains.reduce((a, b) => search.score(b, base) > search.score(a, base) ? b : a);
      const chosen = [...new Map([ranked[0], untuned, fastest].map((one) => [nameOf(one), one])).values()];
      status.clear();
      stderr.line(`last round: ${chosen.length} settings on ${held.length} other prompts`);
      const finalists = await measure(last, [...chosen, { format: base, setting: plain }], 0, LAST_ROUND);
      if (!(last.score(ranked[0], base) > 0)) throw nothingFound();
      return { ranked, finalists: [...new Map(finalists.map((one) => [nameOf(one), one])).values()] };
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === "AbortError") return undefined;
      throw error;
    });
    if (found === undefined) {
      status.clear();
      stderr.line("hunch: interrupted: nothing was changed");
      return EXIT.interrupted;
    }
    const { ranked, finalists } = found;
    status.end();
    // Who won the search and loses here to what it was to beat owed it to luck.
    const winner = [ranked[0], ...finalists].reduce((best, other) =>
      last.score(other, base) > last.score(best, base) ? other : best
    );
    const fastestPlain = Math.max(
      ...finalists.filter(({ setting }) => setting === plain).map((one) => last.score(one, base)),
    );
    const overPlain = last.score(winner, base) / fastestPlain;
    const overDefault = last.score(winner, base) / last.score(untuned, base);
    const profile: Profile = {
      ...methodsOf(winner),
      plugins: options.plugins.map((file) => resolve(file)),
      overPlain,
      overDefault,
      command: commandLine(),
      made: new Date().toISOString(),
    };
    const path = await keep(options, sampling, profile);
    if (options.json) {
      const [searchedFor, checked] = [
        ranked.map((one) => told(search, one, base)),
        finalists.map((one) => told(last, one, base)),
      ];
      stdout.line(JSON.stringify({ profile, path, ranked: searchedFor, checked }));
    } else {print(last, finalists, {
        ...{ base, winner, untuned, profile, path },
        found: ranked[0],
        others: held !== searched,
      });}
    return EXIT.ok;
  } finally {
    status.clear();
  }
}

/** Cost curves of the formats that this model has here, and the one that runs without a profile. */
async function costs(stand: StandOptions, { format }: TuneCommand, status: Status) {
  const curves = new Map<WeightFormat, CostPoint[]>();
  let standard: WeightFormat | undefined;
  for (const wanted of format === "auto" ? (["auto", ...WEIGHT_FORMATS] as const) : [format]) {
    try {
      const one = await Stand.open({ ...stand, format: wanted }, status.progress);
      standard ??= one.engine.format;
      curves.set(one.engine.format, curveOf(one.engine));
      one.close();
    } catch (error) {
      if (!(error instanceof HunchError) || error.kind !== "unavailable" || wanted === "auto") throw error;
    }
  }
  return { curves, standard: standard! };
}

/** Files that are named relative to here are named by their whole path: later runs begin elsewhere. */
function methodsOf({ format, setting: { drafter, rule, controller } }: Candidate) {
  const whole = drafter.replaceAll(/(?<=:\(?)[^?():]+/g, (file) => existsSync(file) ? resolve(file) : file);
  return { drafter: whole, rule, controller, format };
}

async function keep({ model, ...way }: TuneCommand, { temperature }: Sampling, profile: Profile): Promise<string> {
  const source = await openNamed(model, openCache());
  try {
    return await writeProfile(source, mannerOf(temperature), way, profile);
  } finally {
    source.close();
  }
}

async function forget({ model, ...way }: TuneCommand, { temperature }: Sampling): Promise<number> {
  const source = await openNamed(model, openCache());
  try {
    const there = await forgetProfile(source, mannerOf(temperature), way);
    stdout.line(there ? `forgotten: the profile of ${source.title}` : `there was no profile of ${source.title}`);
    return EXIT.ok;
  } finally {
    source.close();
  }
}

function told(search: Search, candidate: Candidate, base: WeightFormat) {
  const { format, setting } = candidate;
  return {
    ...setting,
    format,
    score: search.score(candidate, base),
    overPlain: search.speedup(candidate),
    kinds: search.kinds(candidate),
  };
}

function print(
  last: Search,
  finalists: readonly Candidate[],
  { base, found, winner, untuned, profile, path, others }: {
    readonly base: WeightFormat;
    /** Who won the search. */
    readonly found: Candidate;
    readonly winner: Candidate;
    readonly untuned: Candidate;
    readonly profile: Profile;
    readonly path: string;
    /** The prompts are not those that were searched with. */
    readonly others: boolean;
  },
): void {
  const kinds = last.kinds(winner).map(({ kind }) => kind ?? "all");
  const head = ["", `in proportion to plain in ${base}`, ...kinds.map((kind) => `${kind}, over plain`)];
  const rows = finalists.map((candidate) => [
    nameOf(candidate),
    last.score(candidate, base).toFixed(2),
    ...last.kinds(candidate).map(({ speedup }) => speedup === undefined ? "1" : speedup.median.toFixed(2)),
  ]);
  for (const line of table([head, ...rows], head.map((_, i) => i).slice(1))) stdout.line(line);
  const { drafter, rule, controller, format, overPlain, overDefault } = profile;
  stdout.line();
  stdout.line(
    `${drafter}, ${rule}, ${controller} in ${format}: ${overPlain.toFixed(2)}× the fastest plain decoding, ` +
      `${overDefault.toFixed(2)}× what runs untuned (${untuned.setting.name} in ${untuned.format}), ` +
      (others
        ? "on prompts that the search has not seen"
        : "on the very prompts of the search (--prompts 2 has others)"),
  );
  if (winner !== found) stdout.line(`${nameOf(found)} won the search, and lost to it in the last round`);
  stdout.line(`why: ${reason(last, winner)}`);
  stdout.line(`kept in ${path}; later runs of this model use it where nothing else is named (hunch tune --forget)`);
}

function nameOf({ format, setting }: Candidate): string {
  return `${format}: ${setting.name}`;
}

function nothingFound(): HunchError {
  return new HunchError("usage", `no answer had ${SHORT} tokens or more, so nothing was found and nothing changed`, {
    hint: "give other prompts by --data, or more of them by --prompts",
  });
}

/** Tasks to search with, and one of each kind that is kept from the search; all of them twice where no kind has two. */
function apart(tasks: readonly Task[]): readonly [searched: readonly Task[], held: readonly Task[]] {
  const kinds = [...Map.groupBy(tasks, ({ kind }) => kind).values()];
  const held = kinds.filter(({ length }) => length > 1).map((own) => own[own.length - 1]);
  return held.length === 0 ? [tasks, tasks] : [tasks.filter((task) => !held.includes(task)), held];
}

function reason(last: Search, winner: Candidate): string {
  const rows = last.kinds(winner);
  const mean = (value: (row: typeof rows[number]) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
  const [tokens, width] = [mean((row) => row.tokensPerPass), mean((row) => row.rowsPerPass)];
  return `${tokens.toFixed(2)} tokens per pass of ${width.toFixed(1)} rows, ` +
    `drafting takes ${percent(mean(({ time }) => time.drafting))} of the time`;
}
