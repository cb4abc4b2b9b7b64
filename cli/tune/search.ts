// Measuring the candidates of one round: format by format, because two engines of a large model may not fit beside each
// other, and within a format all of them beside plain decoding on the same prompts.
import type { WeightFormat } from "../../src/weight-format.ts";
import type { Task } from "../bench/data.ts";
import { measureGroup } from "../bench/measure.ts";
import { type Measured, type PromptFacts, rate, type Row, SHORT } from "../bench/results.ts";
import { rowsOf } from "../bench/rows.ts";
import type { Setting } from "../bench/settings.ts";
import { Stand, type StandOptions } from "../bench/stand.ts";
import { median } from "../bench/statistics.ts";
import { workingSettings } from "../bench/warm-up.ts";
import type { Candidate } from "./candidates.ts";

/** Answers shorter than this say little. */
const SHORTEST = 16;

interface Seen {
  readonly facts: PromptFacts[];
  readonly runs: Measured[];
}

export class Search {
  readonly #seen = new Map<WeightFormat, Seen>();
  readonly #kinds: readonly (readonly Task[])[];
  /** Tasks taken so far, kinds in turn: all formats take the same. */
  #tasks = 0;

  constructor(
    private readonly options: StandOptions,
    private readonly plain: Setting,
    tasks: readonly Task[],
    private readonly progress: (step: string, fraction: number) => void,
    private readonly clock: () => number,
  ) {
    this.#kinds = [...Map.groupBy(tasks, ({ kind }) => kind).values()];
  }

  /**
   * Those that could run and had time to begin. Everybody answers the same prompts, `least` at least: as many as the first
   * format has time for in its share. The first rounds, in which there are many candidates, ask for shorter answers.
   */
  async measure(
    candidates: readonly Candidate[],
    deadline: number,
    round: number,
    signal: AbortSignal,
    least = 1,
  ): Promise<Candidate[]> {
    const { maxTokens } = this.options;
    const shorter = Math.min(maxTokens, Math.max(SHORTEST, Math.ceil(maxTokens / 2 ** Math.max(0, 2 - round))));
    const working: Candidate[] = [];
    let tasks: number | undefined;
    for (const [format, own] of Map.groupBy(candidates, ({ format }) => format)) {
      const until = this.clock() + Math.max(0, deadline - this.clock()) * own.length / candidates.length;
      const stand = await Stand.open({ ...this.options, format, maxTokens: shorter }, this.progress);
      try {
        // Plain decoding once, whether it is a candidate or only what others stand beside.
        const drafting = own.map(({ setting }) => setting).filter((setting) => setting !== this.plain);
        const late = () => round === 0 && this.clock() >= until;
        const settings = await workingSettings(stand, [this.plain, ...drafting], this.progress, () => {}, late);
        working.push(...own.filter(({ setting }) => settings.includes(setting)));
        const enough = (taken: number) =>
          tasks === undefined ? taken >= least && this.clock() >= until : taken >= tasks;
        tasks = await this.#answer(stand, format, settings, enough, signal);
      } finally {
        stand.close();
      }
    }
    this.#tasks += tasks ?? 0;
    return working;
  }

  /** Every kind once. */
  get each(): number {
    return this.#kinds.length;
  }

  /** Tasks that were answered, one at least. */
  async #answer(
    stand: Stand,
    format: WeightFormat,
    settings: readonly Setting[],
    enough: (taken: number) => boolean,
    signal: AbortSignal,
  ): Promise<number> {
    const seen = this.#seen.get(format) ?? { facts: [], runs: [] };
    this.#seen.set(format, seen);
    for (let taken = 1;; taken++) {
      const at = this.#tasks + taken - 1;
      const tasks = this.#kinds[at % this.#kinds.length];
      const nth = Math.floor(at / this.#kinds.length);
      const [turn, task] = [Math.floor(nth / tasks.length), tasks[nth % tasks.length]];
      stand.forgetAnswers(); // it may be a prompt of an earlier turn
      this.progress(`${settings.length - 1} settings in ${format}: ${task.kind}`, taken / (taken + 1));
      const group = await measureGroup(stand, settings, task, { turn, seed: this.options.seed, signal });
      if (group === undefined) return taken;
      seen.facts.push(group.facts);
      seen.runs.push(...group.runs);
      if (enough(taken)) return taken;
    }
  }

  /** Tokens per second in proportion to plain decoding in `base`: kinds of work weigh the same, by the time they take. */
  score({ format, setting }: Candidate, base: WeightFormat): number {
    return this.#plainOver(format, base) * this.speedup({ format, setting });
  }

  /** Over plain decoding in the same format: the harmonic mean of the kinds' medians. 0 where nothing was measured. */
  speedup({ format, setting }: Candidate): number {
    const kinds = this.kinds({ format, setting });
    const times = kinds.map(({ speedup }) => speedup === undefined ? 1 : 1 / speedup.median);
    return kinds.length === 0 ? 0 : kinds.length / times.reduce((a, b) => a + b, 0);
  }

  /** A row for each kind of work. */
  kinds({ format, setting }: Candidate): Row[] {
    const { facts = [], runs = [] } = this.#seen.get(format) ?? {};
    const short = this.#tooShort();
    const rows = rowsOf({
      settings: [this.plain, ...setting.name === this.plain.name ? [] : [setting]],
      facts: [...new Map(facts.map((fact) => [`${fact.kind}/${fact.id}`, fact])).values()],
      runs: runs.filter((run) => !short.has(place(run))),
      curve: [],
    }).filter((row) => row.setting === setting.name);
    return rows.length > 1 ? rows.slice(1) : rows;
  }

  /** Where plain decoding in some format said too little: such answers count for no format, so that all have the same. */
  #tooShort(): Set<string> {
    const plain = [...this.#seen.values()].flatMap(({ runs }) => runs.filter((run) => run.setting === this.plain.name));
    return new Set(plain.filter(({ tokens }) => tokens < SHORT).map(place));
  }

  /** Plain decoding in `format` over that in `base`, on the prompts that both have. */
  #plainOver(format: WeightFormat, base: WeightFormat): number {
    const rates = (of: WeightFormat) =>
      new Map(
        this.#seen.get(of)?.runs.filter(({ setting }) => setting === this.plain.name)
          .map((run) => [place(run), rate(run)]),
      );
    const [own, others] = [rates(format), rates(base)];
    const common = [...own.keys()].filter((place) => others.has(place));
    return common.length === 0 ? 1 : median(common.map((place) => own.get(place)! / others.get(place)!));
  }
}

function place({ prompt, turn }: Measured): string {
  return `${turn} ${prompt}`;
}
