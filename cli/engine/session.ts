// A model, an engine and the methods, ready to answer: what every command that generates text shares.
import type { Engine, Sequence } from "../../src/backend.ts";
import { WEIGHT_FORMATS } from "../../src/weight-format.ts";
import { HunchError } from "../../src/errors.ts";
import { SeededChance } from "../../src/chance.ts";
import { complete, type Completion, type GenerateOptions, type Piece } from "../../src/round/generate.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { Methods, PluginContext } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import type { Stats } from "../../src/stats.ts";
import { openCache } from "../cache/cache.ts";
import { trimCache } from "../cache/entries.ts";
import { type Choice, choiceLine } from "./choice.ts";
import { devicesOf } from "./device.ts";
import { Engines, settingOf } from "./engines.ts";
import { chooseFormat, type FormatChoice, formatWords, SeenPasses } from "./format.ts";
import { DEFAULT_DRAFTER, openRegistry } from "./methods.ts";
import { RANDOM_WEIGHTS } from "./models.ts";
import { Stores } from "./stores.ts";
import { type Manner, mannerOf, type Profile, readProfile } from "./profile.ts";
import { warn } from "../output/streams.ts";
import type { MethodOptions, ModelOptions } from "../options.ts";
import type { OverFastest, Summary } from "../output/summary.ts";
import { DEFAULT_MAX_TOKENS, fitted, type Prompt } from "../input/prompt.ts";
import { templateFile } from "../input/template.ts";

export interface SessionOptions extends ModelOptions, Omit<MethodOptions, "device" | "store"> {
  /** File with a chat template in place of the target's own. */
  readonly chatTemplate?: string;
  readonly overflow: "refuse" | "truncate";
  /** As `devicesOf` takes it. */
  readonly device?: string;
  /** Grows by the answers, and drafters may look things up in it. */
  readonly store?: string;
  /** Tell what `--backend auto` came to as soon as it is known. */
  readonly debug?: boolean;
}

/** One thing to answer. */
export interface Question {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly seed: string;
  /** Absent: 512, or what the context leaves. */
  readonly maxTokens?: number;
  readonly stop: readonly string[];
  /** A conversation's sequence, and the tokens in its cache. */
  readonly sequence?: Sequence;
  readonly committed?: Int32Array;
  readonly onRound?: GenerateOptions["onRound"];
  /** Also tell how likely each token was, and so many of the likeliest in its place. See Prefix. */
  readonly logprobs?: number;
  /** Methods as the command line names them, in place of those of the session. */
  readonly drafter?: string;
  readonly rule?: string;
  readonly controller?: string;
}

/** Methods as the command line names them. */
export type Specs = Readonly<Record<"drafter" | "rule" | "controller", string>>;

/**
 * What a method is kept under. A controller has learnt what its drafter's guesses are worth, and serves no other. What
 * has an owner serves nobody else: a drafter remembers what its owner said.
 */
function keysOf({ drafter, rule, controller }: Specs, owner?: string): Specs {
  const own = owner === undefined ? "" : ` of ${owner}`;
  return {
    drafter: `drafter ${drafter}${own}`,
    rule: `rule ${rule}`,
    controller: `controller ${controller} of ${drafter}${own}`,
  };
}

/** A method that was made, and the engines of the models that it opened. */
interface Made<K extends keyof Methods = keyof Methods> {
  readonly method: Methods[K];
  readonly engines: readonly Engine[];
}

const DEFAULT_CONTROLLER = "cost";

/**
 * `greedy` where nothing is drawn; else `match`, with which a seed gives the same text whatever is drafted; `token`,
 * which keeps more of what a model drafts, only by name. All three are lossless.
 */
function defaultRule({ temperature }: Sampling): string {
  return temperature === 0 ? "greedy" : "match";
}

export class Session {
  /** By kind and name, with its options. They stay for later questions. */
  readonly #made = new Map<string, Made>();

  private constructor(
    readonly engine: Engine,
    private readonly registry: Registry,
    private readonly context: PluginContext,
    private readonly options: SessionOptions,
    private readonly stores: Stores,
    private readonly engines: Engines,
    /** What `--backend auto` came to for the target. */
    readonly choice: Choice | undefined,
    /** The same in words, where it was made just now: on later starts it is no news. */
    readonly news: string | undefined,
    /** What `--format auto` came to, where several formats were measured. */
    readonly format: FormatChoice | undefined,
    /** Where later choices of a format find the passes of these answers. */
    private readonly seen: SeenPasses | undefined,
    /** What `hunch tune` has found for texts of one manner, where nobody names methods or a format. */
    readonly tuned: Profile | undefined,
    private readonly tunedManner: Manner,
  ) {}

  get source(): ModelSource {
    return this.engine.source;
  }

  /** Name and weight format of each engine that ran another model than the target, such as `onnx:cpu int8`. */
  draftEngines(question: Question): readonly string[] {
    const keys = Object.values(keysOf(this.#specs(question)));
    const engines = keys.flatMap((key) => this.#made.get(key)?.engines ?? []);
    return [...new Set(engines.map(({ name, format }) => `${name} ${format}`))];
  }

  /**
   * Opens the model and loads it. Throws HunchError where anything named is not there or does not fit. `sampling`: that
   * of every question, where they share one.
   */
  static async open(
    options: SessionOptions,
    progress: (step: string, fraction: number) => void,
    sampling?: Sampling,
  ): Promise<Session> {
    try {
      return await Session.#open(options, progress, sampling, !names(options));
    } catch (error) {
      if (!(error instanceof UnusableProfile)) throw error;
      warn(error.line);
      return await Session.#open(options, progress, sampling, false);
    }
  }

  /** `tune`: as `hunch tune` found out, where it has. Throws UnusableProfile where that is no more to be had. */
  static async #open(
    options: SessionOptions,
    progress: (step: string, fraction: number) => void,
    sampling: Sampling | undefined,
    tune: boolean,
  ): Promise<Session> {
    const devices = devicesOf(options.device, options.backend);
    const registry = await openRegistry(options.plugins);
    const cacheDir = openCache();
    const since = Date.now();
    const engines = new Engines({ ...settingOf(options), registry, cacheDir, progress });
    let choice: Choice | undefined;
    let news = false;
    try {
      const source = await engines.source(options.model, await templateFile(options.chatTemplate));
      const stores = new Stores(source, options.store); // what cannot be is told before anything is loaded
      engines.closeLater(() => stores.close());
      const manner = mannerOf((sampling ?? GREEDY).temperature);
      const tuned = tune ? await readProfile(source, manner, options) : undefined;
      if (tuned !== undefined) engines.use(tuned.format);
      const seen = tuned === undefined && options.format === "auto"
        ? await SeenPasses.of(source, cacheDir, (fraction) => progress("reading", fraction))
        : undefined;
      engines.closeLater(() => seen?.keep());
      const passes = seen?.read(options.drafter ?? DEFAULT_DRAFTER, manner);
      let format: FormatChoice | undefined;
      const target = await engines.load(source, devices.target, {
        chosen(made, fresh) {
          choice = made;
          news = fresh;
        },
        chooseFormat(costs) {
          format = passes && chooseFormat(costs, passes);
          return format?.format ?? "exact";
        },
      });
      const context = engines.contextOf(target, devices.draft, stores.corpus);
      const told = news ? choice && choiceLine(choice) : undefined;
      const session = new Session(
        ...[target, registry, context, options, stores, engines] as const,
        ...[choice, told, format, seen, tuned, manner] as const,
      );
      const specs = session.#specs({ sampling: sampling ?? GREEDY });
      try {
        for (const file of tuned?.plugins ?? []) if (!options.plugins.includes(file)) await registry.load(file);
        await session.#method("drafter", specs, keysOf(specs));
        await session.#method("controller", specs, keysOf(specs));
      } catch (error) {
        throw tuned !== undefined && error instanceof HunchError ? new UnusableProfile(error) : error;
      }
      if (options.rule !== undefined) await session.#methods(specs, sampling); // wrong for every question: told once
      trimCache(cacheDir, since);
      return session;
    } catch (error) {
      engines.close();
      throw error;
    }
  }

  /** Hands each piece to `see` as it is made. What `see` throws ends the answer. */
  async answer(question: Question, see: (piece: Piece) => void, signal?: AbortSignal): Promise<Completion> {
    const { sampling, seed, maxTokens, stop, sequence, committed, onRound } = question;
    const { tokens: prompt } = this.options.overflow === "refuse"
      ? question.prompt
      : fitted(question.prompt, this.engine.context, maxTokens);
    this.stores.refresh();
    const specs = this.#specs(question);
    const completion = await complete({
      engine: this.engine,
      prompt,
      ...await this.#methods(specs, sampling),
      sampling,
      chance: new SeededChance(seed),
      maxTokens: maxTokens ?? this.#limit(prompt.length),
      stop,
      overflow: this.options.overflow,
      strict: this.options.strict,
      signal,
      sequence,
      committed,
      onRound,
    }, see);
    this.stores.keep(prompt, completion);
    this.seen?.add(specs.drafter, mannerOf(sampling.temperature), completion.stats);
    return withDropped(completion, question.prompt.tokens.length - prompt.length);
  }

  /** 512 tokens where the context has room for them; else all that it has, which ends the answer with `context`. */
  #limit(promptTokens: number): number {
    const left = this.engine.context - promptTokens;
    if (left >= DEFAULT_MAX_TOKENS) return DEFAULT_MAX_TOKENS;
    return left > 0 || this.options.overflow === "refuse" ? Infinity : DEFAULT_MAX_TOKENS;
  }

  #specs(
    { drafter, rule, controller, sampling }: Pick<Question, "drafter" | "rule" | "controller" | "sampling">,
  ): Specs {
    // Found for greedy texts, or for sampled ones: the drafter of one may have no rule for the other.
    const tuned = drafter === undefined && mannerOf(sampling.temperature) === this.tunedManner ? this.tuned : undefined;
    const own = drafter ?? this.options.drafter ?? tuned?.drafter ?? DEFAULT_DRAFTER;
    const given = controller ?? this.options.controller ?? tuned?.controller;
    return {
      drafter: own,
      rule: rule ?? this.options.rule ?? tuned?.rule ?? defaultRule(sampling),
      controller: given ?? this.registry.controllerOf(own) ?? DEFAULT_CONTROLLER,
    };
  }

  async #methods(specs: Specs, sampling?: Sampling, owner?: string) {
    const keys = keysOf(specs, owner);
    const drafter = await this.#method("drafter", specs, keys);
    const rule = await this.#method("rule", specs, keys);
    const controller = await this.#method("controller", specs, keys);
    await this.registry.checkPair(drafter, rule, this.context, sampling);
    return { drafter, rule, controller };
  }

  /**
   * Methods of a setting that is measured, for one text: the drafter is the setting's own until `forget`, the controller
   * new, so that none has learnt from what another said.
   */
  async methodsFor(setting: Specs & { readonly name: string }, sampling: Sampling) {
    this.#drop(keysOf(setting, setting.name).controller);
    return await this.#methods(setting, sampling, setting.name);
  }

  /** Methods are made anew from now on, and remember nothing. Engines of draft models stay. */
  forget(): void {
    for (const key of [...this.#made.keys()]) this.#drop(key);
  }

  /** The drafter of a setting that was measured is made anew when it is wanted. */
  forgetDrafter(setting: Specs & { readonly name: string }): void {
    this.#drop(keysOf(setting, setting.name).drafter);
  }

  async #method<K extends keyof Specs>(kind: K, specs: Specs, keys: Specs): Promise<Methods[K]> {
    const key = keys[kind];
    const known = this.#made.get(key) as Made<K> | undefined;
    if (known) return known.method;
    const before = this.engines.drafts.length;
    const method = await this.registry.resolve(kind, specs[kind], this.context);
    this.engines.closeLater(() => this.#drop(key));
    this.#made.set(key, { method, engines: this.engines.drafts.slice(before) });
    return method;
  }

  #drop(key: string): void {
    const method = this.#made.get(key)?.method;
    this.#made.delete(key);
    if (method !== undefined && "close" in method) method.close?.();
  }

  /** What the summary of an answer needs to know. */
  summary(question: Question, completion: Completion): Summary {
    return {
      stats: completion.stats,
      finish: completion.finish,
      maxTokens: question.maxTokens ?? DEFAULT_MAX_TOKENS,
      context: this.engine.context,
      seed: question.sampling.temperature > 0 ? question.seed : undefined,
      draftEngines: this.draftEngines(question),
      choice: this.news,
      format: this.format && formatWords(this.format),
      tuned: this.tuned?.made.slice(0, 10),
      randomWeights: this.source.title.includes(RANDOM_WEIGHTS),
      overFastest: this.#overFastest(completion.stats),
    };
  }

  /** Against plain decoding in the fastest of all formats measured here; undefined where only one was. */
  #overFastest({ tokens, decodeMs, plainMs }: Stats): OverFastest | undefined {
    const { format: own } = this.engine;
    const known = WEIGHT_FORMATS.map((format) => ({
      format,
      ms: format === own ? plainMs ?? this.engine.cost(1) : this.engine.plainCost?.(format) ?? NaN,
    })).filter(({ ms }) => ms > 0);
    if (known.length < 2 || !known.some(({ format }) => format === own)) return undefined;
    const fastest = known.reduce((best, other) => other.ms < best.ms ? other : best);
    return { format: fastest.format, value: fastest.ms * tokens / decodeMs, how: "estimated" };
  }

  close(): void {
    this.engines.close();
  }
}

/** True where anything is named that a profile would say. */
function names({ drafter, rule, controller, format }: SessionOptions): boolean {
  return drafter !== undefined || rule !== undefined || controller !== undefined || format !== "auto";
}

/** What is wrong with the methods of a profile, and how to be rid of it. */
class UnusableProfile extends HunchError {
  constructor({ kind, message, place }: HunchError) {
    const hint = "run hunch tune again, or hunch tune --forget, or name a --drafter";
    super(kind, `what hunch tune found cannot be used: ${message}; going on untuned`, { ...place, hint });
  }
}

/** A prompt that was shortened counts as it was. */
function withDropped(completion: Completion, dropped: number): Completion {
  const { stats } = completion;
  const { promptTokens, droppedTokens } = stats;
  return {
    ...completion,
    stats: { ...stats, promptTokens: promptTokens + dropped, droppedTokens: droppedTokens + dropped },
  };
}
