// What `hunch tune` finds in five minutes against the best of the full grid: every setting that it tries, in every format,
// measured at full length on three kinds of work; then the winner and the best of the grid on other prompts, in turns.
import { tasksOf } from "../../cli/bench/data.ts";
import { plainSetting, type Setting } from "../../cli/bench/settings.ts";
import type { StandOptions } from "../../cli/bench/stand.ts";
import type { Candidate } from "../../cli/tune/candidates.ts";
import { Search } from "../../cli/tune/search.ts";
import { GREEDY } from "../../src/sampling.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { Terminal } from "../terminal.ts";
import { table } from "../report.ts";
import { DEFAULT_MODEL } from "../setup.ts";
import { count, type Suite } from "../suite.ts";

const SETS = ["edits", "bfcl", "humaneval"];
const SECONDS = count("seconds", 300);
const TOKENS = count("tokens", 64);
/** The best of the grid that meet the winner on other prompts: the first alone may owe its place to luck. */
const FINALISTS = 3;
const FINAL_SECONDS = count("final", 60);
/** From this round on answers are as long as they may be. */
const FULL_LENGTH = 9;

interface Tuned {
  readonly profile: Setting & { readonly format: WeightFormat };
  readonly ranked: readonly (Setting & { readonly format: WeightFormat })[];
}

const suite: Suite = {
  summary: "What `hunch tune` finds in five minutes, as a share of the best of the full grid",
  options: { seconds: "N", tokens: "N", final: "N" },
  async run() {
    const started = performance.now();
    const terminal = new Terminal();
    const sets = SETS.map((name) => `--data ${name}`).join(" ");
    const { stdout } = terminal.run(`hunch tune --json --seconds ${SECONDS} -n ${TOKENS} --prompts 2 ${sets}`);
    terminal.close();
    const tuning = (performance.now() - started) / 1000;
    const { profile, ranked } = JSON.parse(stdout) as Tuned;

    const plain = plainSetting(0);
    const grid = ranked.map(({ format, name, drafter, rule, controller }): Candidate => ({
      format,
      setting: name === plain.name ? plain : { name, drafter, rule, controller },
    }));
    const winner = grid.find(({ format, setting }) =>
      format === profile.format && setting.drafter === profile.drafter && setting.controller === profile.controller
    )!;
    const base = winner.format;
    const stand: StandOptions = {
      model: DEFAULT_MODEL,
      backend: "auto",
      context: undefined,
      threads: undefined,
      format: "auto",
      strict: true,
      drafter: "none",
      rule: undefined,
      controller: undefined,
      plugins: [],
      overflow: "truncate",
      sampling: GREEDY,
      seed: "bench",
      maxTokens: TOKENS,
      raw: false,
    };
    const clock = () => performance.now();
    const kindsOfWork = [...Map.groupBy(await tasksOf(SETS, 4), ({ kind }) => kind).values()];
    const measured = async (some: readonly Candidate[], prompts: readonly number[], seconds: number) => {
      const tasks = kindsOfWork.flatMap((own) => prompts.map((at) => own[at]));
      const search = new Search(stand, plain, tasks, () => {}, clock);
      await search.measure(some, clock() + 1000 * seconds, FULL_LENGTH, new AbortController().signal, search.each);
      return search;
    };
    const plains = [...new Set(grid.map(({ format }) => format))].map((format) => ({ format, setting: plain }));
    const all = distinct([...grid, ...plains]);
    const wide = await measured(all, [0], 0);
    const best = all.toSorted((a, b) => wide.score(b, base) - wide.score(a, base)).slice(0, FINALISTS);
    const finalists = distinct([winner, ...best]);
    // Of four prompts that are spread over a set, tune has seen the first and the third.
    const last = await measured(distinct([...finalists, { format: base, setting: plain }]), [1, 3], FINAL_SECONDS);

    const score = (one: Candidate) => last.score(one, base);
    const ratio = score(winner) / Math.max(...finalists.map(score));
    const rows = finalists.map((one) => [
      nameOf(one),
      one !== winner ? "grid" : best.includes(winner) ? "both" : "tune",
      wide.score(one, base).toFixed(2),
      score(one).toFixed(2),
      ...last.kinds(one).map(({ speedup }) => speedup === undefined ? "1" : speedup.median.toFixed(2)),
    ]);
    const kinds = last.kinds(winner).map(({ kind }) => `${kind}, over plain`);
    return {
      report:
        `\`hunch tune\` took ${
          tuning.toFixed(0)
        } s; the grid has ${all.length} settings, drafters × controllers × formats, each ` +
        `measured on a prompt of each kind of up to ${TOKENS} tokens. The best ${FINALISTS} of them met tune's winner on two ` +
        `other prompts of each kind, in turns, for ${FINAL_SECONDS} s or one round. Speeds in proportion to plain decoding ` +
        `in ${base}.\n\n**The winner of tune has ${
          (100 * ratio).toFixed(1)
        }% of the speed of the best.** The aim is 95%.\n\n` +
        table(["setting", "found by", "in the grid", "on other prompts", ...kinds], rows),
    };
  },
};

export default suite;

function distinct(all: readonly Candidate[]): Candidate[] {
  return [...new Map(all.map((one) => [nameOf(one), one])).values()];
}

function nameOf({ format, setting }: Candidate): string {
  return `${format}: ${setting.name}`;
}
