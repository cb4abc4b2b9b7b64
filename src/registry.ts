// Plugins: one published method each. Built-in methods and a stranger's file are registered by the same definePlugin.
import type { Backend, Engine } from "./backend.ts";
import { closest } from "./closest.ts";
import type { Controller } from "./controller.ts";
import type { Drafter, Proposer } from "./drafter.ts";
import { HunchError } from "./errors.ts";
import { pairFault } from "./pairing.ts";
import { importPlugins, KINDS } from "./plugin-file.ts";
import type { VerificationRule } from "./rule.ts";
import type { TreeShape } from "./shape.ts";
import { checkOptions, parseSpec } from "./spec.ts";

/** One option of a method, as in `lookup?longest=8`. */
export interface OptionSpec {
  readonly type: "integer" | "number" | "boolean" | "string";
  readonly default: number | boolean | string;
  readonly summary: string;
  /** Range of numbers, both inclusive. */
  readonly min?: number;
  readonly max?: number;
  /** The only values allowed. */
  readonly choices?: readonly string[];
}

export interface Paper {
  readonly title: string;
  readonly year: number;
  readonly arxiv?: string;
}

/** What a method may use while it is made. */
export interface PluginContext {
  /** The target model. */
  readonly target: Engine;
  /**
   * Opens a second model of the same vocabulary, on the backend for draft models; refuses another vocabulary. Where it has
   * more or fewer tokens, its scores are for those of the target.
   */
  loadModel(path: string): Promise<Engine>;
  /** Makes another method, for methods built of others. */
  resolve<K extends keyof Methods>(kind: K, spec: string): Promise<Methods[K]>;
}

/** What each kind of plugin makes. */
export interface Methods {
  drafter: Drafter;
  proposer: Proposer;
  shape: TreeShape;
  rule: VerificationRule;
  controller: Controller;
  backend: Backend;
}

export type OptionValues = Readonly<Record<string, number | boolean | string>>;

export interface Plugin<K extends keyof Methods = keyof Methods> {
  readonly kind: K;
  readonly name: string;
  /** One line for `hunch plugin list`. */
  readonly summary: string;
  /** What the colon argument is, as in `model:FILE`; in brackets where it may be left out; absent: none is taken. */
  readonly argument?: string;
  readonly options?: Readonly<Record<string, OptionSpec>>;
  readonly paper?: Paper;
  /** `options` holds every declared option, checked; `argument` is "" where none was given. */
  create(options: OptionValues, argument: string, context: PluginContext): Methods[K] | Promise<Methods[K]>;
}

/** Identity, for inference and for one way to write a plugin. A plugin file exports one or several as default. */
export function definePlugin<K extends keyof Methods>(plugin: Plugin<K>): Plugin<K> {
  return plugin;
}

/** The methods at hand. */
export class Registry {
  readonly #plugins: Plugin[] = [];

  constructor(plugins: Iterable<Plugin> = []) {
    for (const plugin of plugins) this.add(plugin);
  }

  /** Throws HunchError("usage") where a method of that kind and name is there already. */
  add(plugin: Plugin): void {
    if (this.list(plugin.kind).some(({ name }) => name === plugin.name)) {
      throw new HunchError("usage", `there are two ${KINDS[plugin.kind]}s called ${plugin.name}`, {}, "rename one");
    }
    this.#plugins.push(plugin);
  }

  /** Adds what a TypeScript or JavaScript file exports as default, one plugin or several, and returns it. */
  async load(path: string): Promise<readonly Plugin[]> {
    const plugins = await importPlugins(path);
    for (const plugin of plugins) this.add(plugin);
    return plugins;
  }

  /** Plugins of one kind, or of all, in the order in which they came. */
  list(): readonly Plugin[];
  list<K extends keyof Methods>(kind: K): readonly Plugin<K>[];
  list(kind?: keyof Methods): readonly Plugin[] {
    return this.#plugins.filter((plugin) => kind === undefined || plugin.kind === kind);
  }

  /** Throws HunchError("usage") with the nearest name. */
  find<K extends keyof Methods>(kind: K, name: string): Plugin<K> {
    const plugins = this.list(kind);
    const found = plugins.find((plugin) => plugin.name === name);
    if (found !== undefined) return found;
    const names = plugins.map((plugin) => plugin.name);
    const nearest = closest(name, names);
    const hint = nearest === undefined ? `there are ${names.join(", ")}` : `did you mean ${nearest}?`;
    throw new HunchError(
      "usage",
      `there is no ${KINDS[kind]} ${JSON.stringify(name)}`,
      {},
      names.length > 0 ? hint : "",
    );
  }

  /**
   * Makes the method that a spec such as `lookup?longest=4` or `model:draft.gguf` names. Throws HunchError("usage")
   * where the spec is wrong, and whatever the method's `create` throws.
   */
  async resolve<K extends keyof Methods>(kind: K, spec: string, context: PluginContext): Promise<Methods[K]> {
    const { name, argument, options } = parseSpec(spec);
    const plugin = this.find(kind, name);
    if (plugin.argument === undefined && argument !== "") {
      throw new HunchError("usage", `${name} takes nothing after a colon`, {}, `write ${name}`);
    }
    if (plugin.argument !== undefined && argument === "" && !plugin.argument.startsWith("[")) {
      throw new HunchError("usage", `${name} needs its ${plugin.argument}`, {}, `write ${name}:${plugin.argument}`);
    }
    return await plugin.create(checkOptions(name, plugin.options ?? {}, options), argument, context);
  }

  /**
   * Throws HunchError("usage") where a rule cannot judge any draft of the drafter, naming the rules that can. A drafter
   * of several laws may narrow them once it knows the sampling: `generate` looks again.
   */
  async checkPair(drafter: Drafter, rule: VerificationRule, context: PluginContext): Promise<void> {
    if (drafter.laws.length === 0 || drafter.laws.some((law) => rule.laws.includes(law))) return;
    const fitting: string[] = [];
    for (const plugin of this.list("rule")) {
      if (plugin.argument !== undefined && !plugin.argument.startsWith("[")) continue;
      const other = await plugin.create(checkOptions(plugin.name, plugin.options ?? {}, new Map()), "", context);
      if (drafter.laws.every((law) => other.laws.includes(law))) fitting.push(plugin.name);
    }
    const hint = fitting.length > 0 ? `rules that can: ${fitting.join(", ")}` : "no rule here can";
    throw new HunchError("usage", pairFault(drafter, rule)!, {}, hint);
  }
}
