// The measuring core: a model, a setting, a prompt, and what came of them. `hunch bench` and `hunch tune` measure with
// it. A prompt is computed once and its rows are kept for everybody who answers it, so that settings differ by what they
// decode; the time of the prompt is told apart.
import type { Engine, Sequence } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import { complete } from "../../src/round/generate.ts";
import { scoreContinuation } from "../../src/round/perplexity.ts";
import type { Stats } from "../../src/stats.ts";
import type { Sampling } from "../../src/sampling.ts";
import { fitted, promptOf } from "../input/prompt.ts";
import type { TemplateSettings } from "../input/template.ts";
import { Session, type SessionOptions } from "../engine/session.ts";
import type { Task } from "./data.ts";
import { freedBy } from "./memory.ts";
import { type Ranks, Seen } from "./seen.ts";
import { plainSetting, type Setting } from "./settings.ts";

/** A task as the model gets it. */
export interface BenchPrompt extends Task {
  readonly tokens: Int32Array;
  /** Tokens left out at its beginning, because the context is too short. */
  readonly cut: number;
  /** Milliseconds of computing it. */
  readonly ms: number;
}

/** What one setting made of one prompt. Milliseconds; without the prompt's own pass. */
export interface Run {
  readonly tokens: number;
  readonly passes: number;
  readonly rows: number;
  readonly drafted: number;
  readonly accepted: number;
  /** As in Stats, by depth. */
  readonly offeredAt: readonly number[];
  readonly acceptedAt: readonly number[];
  readonly ranks: Ranks;
  /** As in Stats, of drafters with several sources. */
  readonly bySource: Stats["bySource"];
  /** Passes by rows: widths[n] passes had n rows. */
  readonly widths: Readonly<Record<number, number>>;
  readonly plainRounds: number;
  readonly firstMs: number;
  readonly draftMs: number;
  readonly verifyMs: number;
  readonly decodeMs: number;
  readonly lossless: boolean;
  /** Of relaxed rules at temperature 0: share of tokens that the target does not find likeliest after those before. */
  readonly foreign?: number;
  /** Of relaxed rules, and of plain decoding beside them: mean ln p of the text under the target. */
  readonly logProbability?: number;
}

/** A run and the text that it is compared by. */
export interface Answer {
  readonly run: Run;
  readonly text: Int32Array;
  /** The rule promises this very text, not its distribution alone. */
  readonly comparable: boolean;
}

export interface StandOptions extends SessionOptions {
  readonly sampling: Sampling;
  readonly seed: string;
  readonly maxTokens: number;
  readonly raw: boolean;
}

export class Stand {
  readonly #sequence: Sequence;
  /** What is in the sequence's cache: of the prompt at hand. */
  #cached: Int32Array = new Int32Array(0);

  private constructor(readonly session: Session, private readonly options: StandOptions) {
    this.#sequence = session.engine.open();
  }

  static async open(options: StandOptions, progress: (step: string, fraction: number) => void): Promise<Stand> {
    const session = await Session.open(options, progress, options.sampling);
    await session.engine.calibrate();
    return new Stand(session, options);
  }

  get engine(): Engine {
    return this.session.engine;
  }

  /** Computes a task's prompt; what is answered from now on is this one. */
  async prompt(task: Task, template?: TemplateSettings): Promise<BenchPrompt> {
    const { raw, maxTokens } = this.options;
    const whole = promptOf(this.session.source, task.text, { raw, system: undefined, template });
    const { tokens } = fitted(whole, this.engine.context, maxTokens);
    const prompt = { ...task, tokens, cut: whole.tokens.length - tokens.length, ms: 0 };
    this.#forget();
    const { sampling } = this.options;
    const methods = await this.session.methodsFor(plainSetting(sampling.temperature), sampling);
    const { stats, cached } = await this.#complete(prompt, methods, 1);
    this.#keepPrompt(cached, prompt);
    return { ...prompt, ms: stats.prefillMs };
  }

  /** Drafters remember nothing of what was said so far. */
  forgetAnswers(): void {
    this.session.forget();
  }

  /** Bytes that a setting's drafter holds, which is let go; undefined where the runtime does not tell. */
  async memoryOf(setting: Setting): Promise<number | undefined> {
    return await freedBy(() => this.session.forgetDrafter(setting));
  }

  /** Answers the prompt at hand, with as many tokens as the options say unless told otherwise. Throws HunchError("usage") where the methods do not go together. */
  async answer(setting: Setting, prompt: BenchPrompt, maxTokens = this.options.maxTokens): Promise<Answer> {
    const { sampling } = this.options;
    const methods = await this.session.methodsFor(setting, sampling);
    const seen = new Seen(methods.controller);
    const completion = await this.#complete(prompt, { ...methods, controller: seen }, maxTokens);
    this.#keepPrompt(completion.cached, prompt);
    const { stats, tokens } = completion;
    const { rule } = methods;
    const run: Run = {
      tokens: stats.tokens,
      passes: stats.passes,
      rows: stats.rows,
      drafted: stats.drafted,
      accepted: stats.accepted,
      offeredAt: stats.offeredAt,
      acceptedAt: stats.acceptedAt,
      ranks: seen.ranks,
      bySource: stats.bySource,
      widths: stats.widths,
      plainRounds: stats.plainRounds,
      firstMs: stats.firstTokenMs,
      draftMs: stats.draftMs,
      verifyMs: stats.verifyMs,
      decodeMs: stats.decodeMs,
      lossless: rule.lossless,
      ...rule.lossless ? {} : await this.judged(prompt, tokens),
    };
    return {
      run,
      text: tokens,
      comparable: rule.lossless && (sampling.temperature === 0 || rule.independent === true),
    };
  }

  close(): void {
    this.#sequence.close();
    this.session.close();
  }

  async #complete(
    { tokens, id, kind }: BenchPrompt,
    methods: Awaited<ReturnType<Session["methodsFor"]>>,
    maxTokens: number,
  ) {
    const { sampling, seed, strict } = this.options;
    return await complete({
      engine: this.engine,
      prompt: tokens,
      ...methods,
      sampling,
      chance: new SeededChance(`${seed}/${kind}/${id}`),
      maxTokens,
      overflow: "truncate", // the prompt fits already: an answer of more than half the context ends with it
      strict,
      sequence: this.#sequence,
      committed: this.#cached,
    }).catch((error: unknown) => {
      this.#forget(); // how far it came is not known
      throw error;
    });
  }

  /** The prompt's rows stay, unless scores depend on what was computed before. */
  #keepPrompt(cached: Int32Array, { tokens }: BenchPrompt): void {
    const kept = this.engine.can.exact === "none" ? 0 : Math.min(cached.length, tokens.length - 1);
    this.#sequence.rewind(kept);
    this.#cached = cached.slice(0, kept);
  }

  #forget(): void {
    this.#sequence.rewind(0);
    this.#cached = new Int32Array(0);
  }

  /** What the target thinks of a text that was said to the prompt at hand. Nothing where the engine keeps no rows. */
  async judged({ tokens: prompt }: BenchPrompt, said: Int32Array): Promise<Pick<Run, "foreign" | "logProbability">> {
    if (said.length === 0 || this.#cached.length !== prompt.length - 1) return {};
    const scores = await scoreContinuation(this.engine, this.#sequence, prompt[prompt.length - 1], said);
    this.#sequence.rewind(prompt.length - 1);
    const sum = scores.reduce((sum, { logProbability }) => sum + logProbability!, 0);
    const foreign = scores.filter(({ rank }) => rank !== 1).length;
    return {
      ...this.options.sampling.temperature === 0 ? { foreign: foreign / scores.length } : {},
      logProbability: sum / scores.length,
    };
  }
}
