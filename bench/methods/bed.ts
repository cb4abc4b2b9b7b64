// A model, prompts, and any drafter, rule and controller on them: what the suite `methods` measures with.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chatPrompt } from "../../cli/input/prompt.ts";
import { contextOf } from "../../cli/engine/methods.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { builtin } from "../../plugins/builtin.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import type { Engine, Sequence } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import type { Controller } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import { complete, type Completion } from "../../src/round/generate.ts";
import { openModel } from "../../src/model/open.ts";
import { Registry } from "../../src/plugins/registry.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { Sampling } from "../../src/sampling.ts";
import { DEFAULT_MODEL, specBench, THREADS } from "../setup.ts";
import { self } from "./self.ts";

/** Prompts of the default model are cut to so many characters. */
const LONGEST = 1200;
const KINDS = ["summarization", "translation", "qa", "extraction", "coding", "writing"];
const STORIES = [
  "Once upon a time",
  "Lily had a red ball.",
  "The dog saw",
  "Tom and his mom went to",
  "One day",
  "Ben was",
];
const STORIES_FOLDER = `${ROOT}test/fixtures/stories260k/`;

export type BedName = "default" | "stories";

/** Names of plugins with their options. In drafters, `DRAFT` stands for what drafts best for the model: see `Bed.draft`. */
export interface Setting {
  readonly drafter: string;
  readonly rule: string;
  readonly controller: string;
}

/** A setting with its methods made, used for all prompts in turn. */
export interface Methods {
  readonly setting: Setting;
  readonly drafter: Drafter;
  readonly rule: VerificationRule;
  readonly controller: Controller;
}

export class Bed {
  readonly #sequence: Sequence;
  #cached: Int32Array = new Int32Array(0);

  private constructor(
    readonly name: BedName,
    readonly engine: Engine,
    readonly prompts: readonly Int32Array[],
    /** The drafter with a q: `self` with the default model, the small model with stories260K. */
    readonly draft: string,
    private readonly registry: Registry,
    private readonly context: PluginContext,
  ) {
    this.#sequence = engine.open();
  }

  /** `count` prompts. `found`: where methods keep what they find out about the model. */
  static async open(name: BedName, count: number, found?: Pick<PluginContext, "cacheDir">): Promise<Bed> {
    const load = async (path: string) =>
      await onnxBackend.load(await openModel(path), {
        format: name === "default" ? "exact" : "float32",
        strict: true,
        threads: name === "default" ? THREADS : 1,
        cacheDir: join(tmpdir(), "hunch-bench-methods"),
      });
    const engine = await load(name === "default" ? DEFAULT_MODEL : `${STORIES_FOLDER}stories260K.bin`);
    await engine.calibrate();
    const registry = new Registry([...builtin, ...self]);
    const context = contextOf(registry, engine, load, undefined, found);
    const texts = Array.from({ length: count }, (_, i) => {
      if (name === "stories") return STORIES[i % STORIES.length];
      const round = Math.floor(i / KINDS.length);
      return specBench(KINDS[i % KINDS.length], round + 1)[round].text.slice(0, LONGEST);
    });
    const { source } = engine;
    const prompts = texts.map((content) =>
      name === "default"
        ? chatPrompt(source, [{ role: "user", content }]).tokens
        : source.tokenizer.encode(content, { begin: true })
    );
    const draft = name === "default" ? "self" : `model:${STORIES_FOLDER}draft41K-tok512.bin`;
    return new Bed(name, engine, prompts, draft, registry, context);
  }

  async methods(setting: Setting): Promise<Methods> {
    const make = { ...setting, drafter: setting.drafter.replaceAll("DRAFT", this.draft) };
    return {
      setting,
      drafter: await this.registry.resolve("drafter", make.drafter, this.context),
      rule: await this.registry.resolve("rule", make.rule, this.context),
      controller: await this.registry.resolve("controller", make.controller, this.context),
    };
  }

  /** What `draft` says. */
  async proposer(): Promise<Proposer> {
    return await this.registry.resolve("proposer", this.draft, this.context);
  }

  /** Undefined where these methods and this sampling do not go together. */
  async run(
    { drafter, rule, controller }: Methods,
    prompt: Int32Array,
    sampling: Sampling,
    maxTokens: number,
    seed: number,
  ): Promise<Completion | undefined> {
    try {
      const completion = await complete({
        engine: this.engine,
        prompt,
        drafter,
        rule,
        controller,
        sampling,
        chance: new SeededChance(seed),
        maxTokens,
        sequence: this.#sequence,
        committed: this.#cached,
      });
      this.#cached = completion.cached;
      return completion;
    } catch (error) {
      this.#sequence.rewind(0);
      this.#cached = new Int32Array(0);
      if (error instanceof HunchError && error.kind === "usage") return undefined;
      throw error;
    }
  }
}
