// The models and engines that a command works with: opened by name, closed together, the last one first.
import type { Engine } from "../../src/backend.ts";
import { inVocabularyOf } from "../../src/draft/shared-vocabulary.ts";
import { refuseOtherVocabulary } from "../../src/draft/vocabulary.ts";
import type { TemplateFile } from "../../src/model/files/opened.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { ModelOptions } from "../options.ts";
import { stderr } from "../output/streams.ts";
import { loadEngine } from "./backends.ts";
import { type Choice, choiceLine, type Options } from "./choice.ts";
import { chooseFormat, type FormatCosts, PLAIN_PASSES } from "./format.ts";
import { contextOf } from "./methods.ts";
import { openNamed } from "./models.ts";

export interface EngineSetting extends Options {
  readonly registry: Registry;
  /** Tell what `--backend auto` came to as soon as it is known. */
  readonly debug?: boolean;
}

/** What options say of every engine of a command. */
export function settingOf({ format, strict, context, threads, debug }: ModelOptions & { readonly debug?: boolean }) {
  return { format, strict, context, threads, debug };
}

export class Engines {
  readonly #closing: (() => void)[] = [];
  readonly #drafts: Engine[] = [];
  /** Engines of draft models by name: methods that are made anew find them loaded. */
  readonly #models = new Map<string, Engine>();

  constructor(private setting: EngineSetting) {}

  /** The weight format of all that is loaded from now on. */
  use(format: EngineSetting["format"]): void {
    this.setting = { ...this.setting, format };
  }

  /** Engines of models other than the target, in the order in which methods asked for them. */
  get drafts(): readonly Engine[] {
    return this.#drafts;
  }

  /** `name`: as `--model` takes it. */
  async source(name: string | undefined, template?: TemplateFile): Promise<ModelSource> {
    const { cacheDir, context } = this.setting;
    const source = await openNamed(name, cacheDir, { context, template });
    this.closeLater(() => source.close());
    return source;
  }

  /**
   * `chosen` is told what `--backend auto` came to, and whether that is new. `chooseFormat`: see EngineOptions; the
   * format with the quickest plain pass where absent, as for draft models.
   */
  async load(
    source: ModelSource,
    backend: string,
    { chosen, chooseFormat = quickest }: {
      readonly chosen?: (choice: Choice, fresh: boolean) => void;
      readonly chooseFormat?: Options["chooseFormat"];
    } = {},
  ): Promise<Engine> {
    const { registry, debug, ...options } = this.setting;
    const engine = await loadEngine(backend, source, { ...options, chooseFormat }, registry, (choice, fresh) => {
      chosen?.(choice, fresh);
      if (debug) stderr.line(`hunch: ${choiceLine(choice)}`);
    });
    this.closeLater(() => engine.close());
    return engine;
  }

  /** What methods get to see, with draft models on `backend`. */
  contextOf(target: Engine, backend: string, corpus?: PluginContext["corpus"]): PluginContext {
    const { registry, cacheDir, progress } = this.setting;
    return contextOf(
      registry,
      target,
      async (name, vocabulary) => {
        const draft = this.#models.get(name) ?? lent(await this.load(await this.source(name), backend));
        this.#models.set(name, draft);
        if (vocabulary !== "any") refuseOtherVocabulary(target.source, draft.source);
        this.#drafts.push(draft);
        return vocabulary === "any" ? draft : inVocabularyOf(target, draft);
      },
      corpus,
      { cacheDir, progress },
    );
  }

  closeLater(close: () => void): void {
    this.#closing.push(close);
  }

  close(): void {
    this.#closing.splice(0).reverse().forEach((close) => close());
  }
}

const quickest = (costs: FormatCosts) => chooseFormat(costs, PLAIN_PASSES).format;

/** An engine that whoever gets it cannot close: it is there for others, too. */
function lent(engine: Engine): Engine {
  const { name, source, format, context, maxRows, can } = engine;
  return {
    ...{ name, source, format, context, maxRows, can },
    open: () => engine.open(),
    cost: (width) => engine.cost(width),
    calibrate: () => engine.calibrate(),
    close() {},
  };
}
