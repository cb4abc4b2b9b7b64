// A model, an engine and the methods, ready to answer: what every command that generates text shares.
import type { Engine, Sequence, WeightFormat } from "../src/backend.ts";
import { SeededChance } from "../src/chance.ts";
import type { Controller } from "../src/controller.ts";
import type { Drafter } from "../src/drafter.ts";
import { type Completion, generate, type GenerateOptions, type Piece } from "../src/generate.ts";
import { openModel } from "../src/model/open.ts";
import type { ModelSource } from "../src/model/source.ts";
import type { PluginContext, Registry } from "../src/registry.ts";
import type { VerificationRule } from "../src/rule.ts";
import type { Sampling } from "../src/sampling.ts";
import type { Stats } from "../src/stats.ts";
import { refuseOtherVocabulary } from "../src/vocabulary.ts";
import { loadEngine } from "./backends.ts";
import { openCache, trimCache } from "./cache.ts";
import { type Choice, choiceLine } from "./choice.ts";
import { devicesOf } from "./device.ts";
import { contextOf, openRegistry } from "./methods.ts";
import { findModel } from "./models.ts";
import type { MethodOptions, ModelOptions } from "./options.ts";
import { stderr } from "./output/streams.ts";
import type { OverFastest, Summary } from "./output/summary.ts";
import { templateFile } from "./template.ts";

export interface SessionOptions extends ModelOptions, Omit<MethodOptions, "device"> {
  /** File with a chat template in place of the target's own. */
  readonly chatTemplate?: string;
  readonly overflow: "refuse" | "truncate";
  /** As `devicesOf` takes it. */
  readonly device?: string;
  /** Tell what `--backend auto` came to as soon as it is known. */
  readonly debug?: boolean;
}

/** One thing to answer. */
export interface Question {
  readonly prompt: Int32Array;
  readonly sampling: Sampling;
  readonly seed: string;
  /** Absent: 512, or what the context leaves. */
  readonly maxTokens?: number;
  readonly stop: readonly string[];
  /** A conversation's sequence, and the tokens in its cache. */
  readonly sequence?: Sequence;
  readonly committed?: Int32Array;
  readonly onRound?: GenerateOptions["onRound"];
}

const DEFAULT_MAX_TOKENS = 512;
const FORMATS: readonly WeightFormat[] = ["exact", "int8", "float32"];
const DEFAULT_CONTROLLER = "cost";

/**
 * `greedy` where nothing is drawn; else `match`, with which a seed gives the same text whatever is drafted; `token`,
 * which keeps more of what a model drafts, only by name. All three are lossless.
 */
function defaultRule({ temperature }: Sampling): string {
  return temperature === 0 ? "greedy" : "match";
}

export class Session {
  readonly #rules = new Map<string, VerificationRule>();

  private constructor(
    readonly engine: Engine,
    private readonly drafter: Drafter,
    private readonly controller: Controller,
    private readonly registry: Registry,
    private readonly context: PluginContext,
    private readonly options: SessionOptions,
    /** Engines of models other than the target, in the order in which methods opened them. */
    private readonly others: readonly Engine[],
    /** What `--backend auto` came to for the target. */
    readonly choice: Choice | undefined,
    private readonly closing: (() => void)[],
  ) {}

  get source(): ModelSource {
    return this.engine.source;
  }

  /** Name and weight format of each engine that runs another model than the target, such as `onnx:cpu int8`. */
  get draftEngines(): readonly string[] {
    return [...new Set(this.others.map(({ name, format }) => `${name} ${format}`))];
  }

  /** Opens the model and loads it. Throws HunchError where anything named is not there or does not fit. */
  static async open(options: SessionOptions, progress: (step: string, fraction: number) => void): Promise<Session> {
    const devices = devicesOf(options.device, options.backend);
    const registry = await openRegistry(options.plugins);
    const cacheDir = openCache();
    const since = Date.now();
    const closing: (() => void)[] = [];
    const others: Engine[] = [];
    let choice: Choice | undefined;
    const load = async (
      path: string,
      backend: string,
      chosen: (choice: Choice) => void,
      template?: { readonly text: string; readonly file: string },
    ): Promise<Engine> => {
      const source = await openModel(path, { context: options.context, template });
      closing.push(() => source.close());
      const { format, strict, context, threads } = options;
      const engine = await loadEngine(
        backend,
        source,
        { format, strict, context, threads, cacheDir, progress },
        registry,
        (choice) => {
          chosen(choice);
          if (options.debug) stderr.line(`hunch: ${choiceLine(choice)}`);
        },
      );
      closing.push(() => engine.close());
      return engine;
    };
    try {
      const template = templateFile(options.chatTemplate);
      const path = await findModel(options.model, cacheDir);
      const target = await load(path, devices.target, (made) => choice = made, template);
      const context = contextOf(registry, target, async (path) => {
        const draft = await load(await findModel(path, cacheDir), devices.draft, () => {});
        refuseOtherVocabulary(target.source, draft.source);
        others.push(draft);
        return draft;
      });
      const drafter = await registry.resolve("drafter", options.drafter, context);
      closing.push(() => drafter.close?.());
      const controller = await registry.resolve("controller", options.controller ?? DEFAULT_CONTROLLER, context);
      const session = new Session(target, drafter, controller, registry, context, options, others, choice, closing);
      if (options.rule !== undefined) await session.#rule(options.rule);
      trimCache(cacheDir, since);
      return session;
    } catch (error) {
      closing.reverse().forEach((close) => close());
      throw error;
    }
  }

  /** Hands each piece to `see` as it is made. What `see` throws ends the answer. */
  async answer(question: Question, see: (piece: Piece) => void, signal?: AbortSignal): Promise<Completion> {
    const { prompt, sampling, seed, maxTokens, stop, sequence, committed, onRound } = question;
    const pieces = generate({
      engine: this.engine,
      prompt,
      drafter: this.drafter,
      rule: await this.#rule(this.options.rule ?? defaultRule(sampling)),
      controller: this.controller,
      sampling,
      chance: new SeededChance(seed),
      maxTokens: maxTokens ?? this.maxTokens(prompt.length),
      stop,
      overflow: this.options.overflow,
      strict: this.options.strict,
      signal,
      sequence,
      committed,
      onRound,
    });
    try {
      while (true) {
        const { value, done } = await pieces.next();
        if (done) return value;
        see(value);
      }
    } finally {
      await pieces.return(undefined as never); // closes the sequence where `see` threw
    }
  }

  maxTokens(promptTokens: number): number {
    return Math.max(1, Math.min(DEFAULT_MAX_TOKENS, this.engine.context - promptTokens));
  }

  async #rule(spec: string): Promise<VerificationRule> {
    const known = this.#rules.get(spec);
    if (known) return known;
    const rule = await this.registry.resolve("rule", spec, this.context);
    await this.registry.checkPair(this.drafter, rule, this.context);
    this.#rules.set(spec, rule);
    return rule;
  }

  /** What the summary of an answer needs to know. */
  summary(question: Question, completion: Completion): Summary {
    return {
      stats: completion.stats,
      finish: completion.finish,
      maxTokens: question.maxTokens ?? this.maxTokens(question.prompt.length),
      context: this.engine.context,
      seed: question.sampling.temperature > 0 ? question.seed : undefined,
      draftEngines: this.draftEngines,
      choice: this.choice && choiceLine(this.choice),
      overFastest: this.#overFastest(completion.stats),
    };
  }

  /** Against plain decoding in the fastest of all formats measured here; undefined where only one was. */
  #overFastest({ tokens, decodeMs, plainMs }: Stats): OverFastest | undefined {
    const { format: own } = this.engine;
    const known = FORMATS.map((format) => ({
      format,
      ms: format === own ? plainMs ?? this.engine.cost(1) : this.engine.plainCost?.(format) ?? NaN,
    })).filter(({ ms }) => ms > 0);
    if (known.length < 2 || !known.some(({ format }) => format === own)) return undefined;
    const fastest = known.reduce((best, other) => other.ms < best.ms ? other : best);
    return { format: fastest.format, value: fastest.ms * tokens / decodeMs, how: "estimated" };
  }

  close(): void {
    this.closing.reverse().forEach((close) => close());
  }
}
