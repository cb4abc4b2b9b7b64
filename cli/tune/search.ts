// Measuring the candidates of one round: format by format, because two engines of a large model may not fit beside each
// other, and within a format all of them beside plain decoding on the same prompts.
import type { WeightFormat } from "../../src/weight-format.ts";
import type { Task } from "../bench/data.ts";
import { measureGroup } from "../bench/measure.ts";
import type { Measured, Row } from "../bench/results.ts";
import { rowsOf } from "../bench/rows.ts";
import type { PromptFacts } from "../bench/results.ts";
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
  /** Tasks taken so far. */
  taken: number;
}

export class Search {
  readonly #seen = new Map<WeightFormat, Seen>();

  constructor(
    private readonly options: StandOptions,
    private readonly plain: Setting,
    private readonly tasks: readonly Task[],
    private readonly progress: (step: string, fraction: number) => void,
    private readonly clock: () => number,
  ) {}

  /**
   * Those that could run. Every format gets its share of the time, and at least one prompt. The first rounds, in which
   * there are many, ask for shorter answers.
   */
  async measure(
    candidates: readonly Candidate[],
    deadline: number,
    round: number,
    signal: AbortSignal,
  ): Promise<Candidate[]> {
    const { maxTokens } = this.options;
    const shorter = Math.min(maxTokens, Math.max(SHORTEST, Math.ceil(maxTokens / 2 ** Math.max(0, 2 - round))));
    const working: Candidate[] = [];
    const formats = [...Map.groupBy(candidates, ({ format }) => format)];
    for (const [i, [format, own]] of formats.entries()) {
      const left = formats.slice(i).reduce((sum, [, others]) => sum + others.length, 0);
      const until = this.clock() + Math.max(0, deadline - this.clock()) * own.length / left;
      const stand = await Stand.open({ ...this.options, format, maxTokens: shorter }, this.progress);
      try {
        const drafting = own.map(({ setting }) => setting).filter((setting) => setting !== this.plain);
        const asked = [this.plain, ...drafting]; // plain decoding once, whether it is a candidate or only what others stand beside
        const settings = await workingSettings(stand, asked, this.progress, () => {});
        working.push(...own.filter(({ setting }) => settings.includes(setting)));
        stand.forgetAnswers();
        await this.#prompts(stand, format, settings, until, signal);
      } finally {
        stand.close();
      }
    }
    return working;
  }

  async #prompts(stand: Stand, format: WeightFormat, settings: readonly Setting[], until: number, signal: AbortSignal) {
    const seen = this.#seen.get(format) ?? { facts: [], runs: [], taken: 0 };
    this.#seen.set(format, seen);
    do {
      const turn = Math.floor(seen.taken / this.tasks.length);
      if (seen.taken % this.tasks.length === 0) stand.forgetAnswers(); // a prompt's own answer is never remembered
      const task = this.tasks[seen.taken % this.tasks.length];
      this.progress(`${settings.length - 1} settings in ${format}: ${task.kind}`, 0);
      const group = await measureGroup(stand, settings, task, { turn, first: seen.taken, signal });
      if (group === undefined) return;
      seen.facts.push(group.facts);
      seen.runs.push(...group.runs);
      seen.taken++;
    } while (this.clock() < until);
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
    const rows = rowsOf({
      settings: [this.plain, ...setting.name === this.plain.name ? [] : [setting]],
      facts: [...new Map(facts.map((fact) => [`${fact.kind}/${fact.id}`, fact])).values()],
      runs,
      curve: [],
    }).filter((row) => row.setting === setting.name);
    return rows.length > 1 ? rows.slice(1) : rows;
  }

  /** Plain decoding in `format` over that in `base`, on the prompts that both have. */
  #plainOver(format: WeightFormat, base: WeightFormat): number {
    const rates = (of: WeightFormat) =>
      new Map(
        this.#seen.get(of)?.runs.filter(({ setting }) => setting === this.plain.name)
          .map(({ prompt, turn, tokens, decodeMs }) => [`${turn} ${prompt}`, tokens / decodeMs]),
      );
    const [own, others] = [rates(format), rates(base)];
    const common = [...own.keys()].filter((place) => others.has(place));
    return common.length === 0 ? 1 : median(common.map((place) => own.get(place)! / others.get(place)!));
  }
}
