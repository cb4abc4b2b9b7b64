// What experiments stand on: rules on drawn distributions, and drafters on a model with prompts of every kind of work.
// What was measured once serves every claim that asks for it.
import { interpolateCost, passesCost } from "../../kernels/cost.ts";
import type { Engine } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import { type Place, simulateAcceptance } from "../../src/check/acceptance.ts";
import { optimalAcceptance } from "../../src/check/bound.ts";
import type { Case } from "../../src/check/case.ts";
import { enumerateRule, type Exact } from "../../src/check/enumerate.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { DraftLaw } from "../../src/tree.ts";
import type { Task } from "../bench/data.ts";
import { curveOf } from "../bench/measure.ts";
import { key, kindOf, type Measured } from "../bench/results.ts";
import { plainSetting, type Setting } from "../bench/settings.ts";
import { Stand, type StandOptions } from "../bench/stand.ts";
import { contextOf } from "../engine/methods.ts";
import { drawnPlaces } from "./cases.ts";

/** All answers of a setting, or those of some kinds. */
export class Answers {
  constructor(private readonly runs: readonly Measured[], private readonly curve: ReturnType<typeof curveOf>) {}

  of(...kinds: readonly string[]): Answers {
    return new Answers(this.runs.filter(({ prompt }) => kinds.includes(kindOf(prompt))), this.curve);
  }

  get kinds(): string[] {
    return [...new Set(this.runs.map(({ prompt }) => kindOf(prompt)))];
  }

  get tokensPerPass(): number {
    return this.#sum(({ tokens }) => tokens) / this.#sum(({ passes }) => passes);
  }

  /** Over plain decoding, by the cost curve of the machine: passes at the time that was measured beforehand. */
  get speedup(): number {
    const cost = (rows: number) => interpolateCost(this.curve, rows);
    const ms = this.#sum(({ widths, draftMs }) => passesCost(widths, cost) + draftMs);
    return this.#sum(({ tokens }) => tokens) * cost(1) / ms;
  }

  get accepted(): number {
    return this.#sum(({ accepted }) => accepted) / this.#sum(({ drafted }) => drafted);
  }

  get sameText(): boolean {
    return this.runs.every(({ same }) => same === true);
  }

  get answers(): number {
    return this.runs.length;
  }

  /** Shares by depth of what was kept, of drafts whose elder node was. */
  get byDepth(): number[] {
    const depths = Math.max(0, ...this.runs.map(({ offeredAt }) => offeredAt.length));
    const kept = Array.from({ length: depths }, (_, i) => this.#sum(({ acceptedAt }) => acceptedAt[i] ?? 0));
    return kept.map((count, i) => count / (i === 0 ? this.#sum(({ offeredAt }) => offeredAt[0] ?? 0) : kept[i - 1]));
  }

  #sum(value: (run: Measured) => number): number {
    return this.runs.reduce((sum, run) => sum + value(run), 0);
  }
}

export class Ground {
  readonly places: readonly Place[] = drawnPlaces();
  readonly #answers = new Map<string, Answers>();
  /** By weight format, what plain decoding says to each task. */
  readonly #texts = new Map<string, Int32Array[]>();
  #stand: Promise<Stand> | undefined;
  #failure: unknown;

  constructor(
    private readonly registry: Registry,
    private readonly options: StandOptions,
    private readonly tasks: readonly Task[],
    private readonly progress: (step: string, fraction: number) => void,
  ) {}

  async rule(spec: string): Promise<VerificationRule> {
    return await this.registry.resolve("rule", spec, contextOf(this.registry));
  }

  /** Share of `n` drafts at the drawn places of which the rule keeps one. */
  async kept(spec: string, law: Exclude<DraftLaw, "beam">, n: number, draws = 40_000): Promise<number> {
    const rule = await this.rule(spec);
    return simulateAcceptance(rule, law, this.places, n, draws, new SeededChance(`${spec} ${law} ${n}`)).mean;
  }

  /** The most that any lossless rule can keep of them. */
  bound(law: DraftLaw, n: number): number {
    return this.places.reduce((sum, { p, q }) => sum + optimalAcceptance(p, q, law, n)!, 0) / this.places.length;
  }

  /** What a rule does with each case, exactly. */
  async exact(spec: string, cases: readonly Case[]): Promise<Exact[]> {
    const rule = await this.rule(spec);
    return cases.map((one) => enumerateRule(one, rule));
  }

  /** The engine of the model, calibrated. */
  async engine(): Promise<Engine> {
    return (await this.#open()).engine;
  }

  /** Some claim was about drafters. */
  get drafted(): boolean {
    return this.#answers.size > 0;
  }

  /** Every prompt answered with a drafter, greedily. `format`: in another than the machine's own choice. */
  async answers(drafter: string, controller = "cost", format = this.options.format): Promise<Answers> {
    const name = `${drafter}, ${controller}, ${format}`;
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    this.progress(name, 0);
    const other = format === this.options.format
      ? undefined
      : await Stand.open({ ...this.options, format }, this.progress);
    const stand = other ?? await this.#open();
    try {
      const plain = await this.#plainTexts(stand, format);
      stand.forgetAnswers(); // what a drafter finds must not depend on which claims came before
      const setting: Setting = { name, drafter, rule: "greedy", controller };
      const runs: Measured[] = [];
      for (const [i, task] of this.tasks.entries()) {
        this.progress(name, i / this.tasks.length);
        const { run, text } = await stand.answer(setting, await stand.prompt(task));
        const same = text.join() === plain[i].join();
        if (run.tokens > 0) runs.push({ ...run, setting: name, prompt: key(task), turn: 0, same });
      }
      const answers = new Answers(runs, curveOf(stand.engine));
      this.#answers.set(name, answers);
      return answers;
    } finally {
      other?.close();
    }
  }

  /** The tokens of all plain answers. */
  async texts(): Promise<readonly Int32Array[]> {
    return await this.#plainTexts(await this.#open(), this.options.format);
  }

  async #plainTexts(stand: Stand, format: string): Promise<readonly Int32Array[]> {
    const known = this.#texts.get(format);
    if (known !== undefined) return known;
    const texts: Int32Array[] = [];
    for (const task of this.tasks) texts.push((await stand.answer(plainSetting(0), await stand.prompt(task))).text);
    this.#texts.set(format, texts);
    return texts;
  }

  /** Whether the model itself does not run here, which is no verdict on any claim. */
  isFailure(error: unknown): boolean {
    return error === this.#failure;
  }

  async close(): Promise<void> {
    await this.#stand?.then((stand) => stand.close(), () => {}); // why it could not be opened was told
  }

  #open(): Promise<Stand> {
    return this.#stand ??= this.#opened();
  }

  /** A stand that has computed something. */
  async #opened(): Promise<Stand> {
    try {
      const stand = await Stand.open(this.options, this.progress);
      await stand.prompt(this.tasks[0]);
      return stand;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}
