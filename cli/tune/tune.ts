// hunch tune: the fastest way to draft for this model, on this machine, with these prompts; later runs use it.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { Sampling } from "../../src/sampling.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import type { CostPoint } from "../../kernels/cost.ts";
import { DATA_SETS, tasksOf } from "../bench/data.ts";
import { commandLine } from "../bench/machine.ts";
import { curveOf } from "../bench/measure.ts";
import { SHORT } from "../bench/results.ts";
import { Stand, type StandOptions } from "../bench/stand.ts";
import { intervalText, percent } from "../bench/words.ts";
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

/** How many of the best are shown. */
const SHOWN = 6;

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
    const search = new Search(stand, plain, tasks, status.progress, clock);
    const ranked = await interruptible((signal) =>
      halve<Candidate>(all, 1000 * options.seconds, {
        // What is replaced is measured to the end, so that the gain is known as well as the winner.
        measure: async (some, deadline, round) => {
          const measured = await search.measure([...new Set([...some, untuned])], deadline, round, signal);
          if (signal.aborted) throw new HunchError("usage", "interrupted: nothing was changed");
          return measured.filter((candidate) => some.includes(candidate));
        },
        score: (candidate) => search.score(candidate, base),
        clock,
        round: (survivors, round, rounds) => {
          status.clear();
          stderr.line(`round ${round + 1} of ${rounds}: ${survivors.length} settings`);
        },
      })
    );
    status.end();
    const [winner] = ranked;
    if (winner === undefined || !(search.score(winner, base) > 0)) {
      throw new HunchError("usage", `no answer had ${SHORT} tokens or more, so nothing was found and nothing changed`, {
        hint: "give other prompts by --data, or more of them by --prompts",
      });
    }
    const overPlain = search.score(winner, base) /
      Math.max(...formats.map((format) => search.score({ format, setting: plain }, base)));
    const overDefault = search.score(winner, base) / search.score(untuned, base);
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
      stdout.line(JSON.stringify({ profile, path, ranked: ranked.map((one) => told(search, one, base)) }));
    } else print(search, ranked, { base, untuned, profile, path });
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
  search: Search,
  ranked: readonly Candidate[],
  { base, untuned, profile, path }: {
    readonly base: WeightFormat;
    readonly untuned: Candidate;
    readonly profile: Profile;
    readonly path: string;
  },
): void {
  const shown = ranked.slice(0, SHOWN);
  const kinds = search.kinds(ranked[0]).map(({ kind }) => kind ?? "all");
  const head = ["", `in proportion to plain in ${base}`, ...kinds.map((kind) => `${kind}, over plain`)];
  const rows = (shown.includes(untuned) ? shown : [...shown, untuned]).map((candidate) => [
    `${candidate.format}: ${candidate.setting.name}`,
    search.score(candidate, base).toFixed(2),
    ...search.kinds(candidate).map(({ speedup }) => speedup === undefined ? "1" : intervalText(speedup, 2)),
  ]);
  for (const line of table([head, ...rows], head.map((_, i) => i).slice(1))) stdout.line(line);
  const { drafter, rule, controller, format, overPlain, overDefault } = profile;
  stdout.line();
  stdout.line(
    `${drafter}, ${rule}, ${controller} in ${format}: ${overPlain.toFixed(2)}× the fastest plain decoding, ` +
      `${overDefault.toFixed(2)}× what runs untuned (${untuned.setting.name} in ${untuned.format})`,
  );
  stdout.line(`why: ${reason(search, ranked)}`);
  stdout.line(`kept in ${path}; later runs of this model use it where nothing else is named (hunch tune --forget)`);
}

function reason(search: Search, [winner, second]: readonly Candidate[]): string {
  const of = (candidate: Candidate) => {
    const rows = search.kinds(candidate);
    const mean = (value: (row: typeof rows[number]) => number) =>
      rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
    const drafting = mean(({ time }) => time.drafting);
    return `${mean((row) => row.tokensPerPass).toFixed(2)} tokens per pass of ${
      mean((row) => row.rowsPerPass).toFixed(1)
    } rows, ` +
      `drafting takes ${percent(drafting)} of the time`;
  };
  const first = of(winner);
  return second === undefined ? first : `${first}; the next, ${second.setting.name} in ${second.format}: ${of(second)}`;
}
