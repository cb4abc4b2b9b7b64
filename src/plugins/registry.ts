// Plugins: one published method each. Built-in methods and a stranger's file are registered by the same definePlugin.
import type { Backend, Engine } from "../backend.ts";
import { closest } from "./closest.ts";
import type { Controller } from "../controller.ts";
import type { Drafter, Proposer } from "../drafter.ts";
import { HunchError } from "../errors.ts";
import { pairFault, worksAt } from "../round/pairing.ts";
import { importPlugins, KINDS } from "./file.ts";
import { guarded } from "./guard.ts";
import type { VerificationRule } from "../rule.ts";
import type { Sampling } from "../sampling.ts";
import type { TreeShape } from "../shape.ts";
import { checkOptions, parseSpec } from "./spec.ts";

interface OptionTypes {
  integer: number;
  number: number;
  boolean: boolean;
  string: string;
}

/** One option of a method, as in `lookup?longest=8`. */
export type OptionSpec<T extends keyof OptionTypes = keyof OptionTypes> = {
  [N in T]: {
    readonly type: N;
    readonly default: OptionTypes[N];
    readonly summary: string;
    /** Range of numbers, both inclusive. */
    readonly min?: number;
    readonly max?: number;
    /** The only texts allowed. */
    readonly choices?: readonly string[];
  };
}[T];

/** The options that a method declares, by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The type of an option's value: number, boolean, string, or the union of its `choices`. */
export type OptionValue<S extends OptionSpec> = S extends { choices: readonly (infer C)[] } ? C
  : OptionTypes[S["type"]];

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

/** What `create` gets: a value for every option that is declared, checked against its declaration. */
export type OptionValues<O extends OptionSpecs = OptionSpecs> = { readonly [N in keyof O]: OptionValue<O[N]> };

/** `O`: the declared options; without it, those of any plugin. */
export interface Plugin<K extends keyof Methods = keyof Methods, O extends OptionSpecs = OptionSpecs> {
  readonly kind: K;
  readonly name: string;
  /** One line for `hunch plugin list`. */
  readonly summary: string;
  /** What the colon argument is, as in `model:FILE`; in brackets where it may be left out; absent: none is taken. */
  readonly argument?: string;
  readonly options?: O;
  /** Of drafters: the controller that goes with it where none is named. */
  readonly controller?: string;
  readonly paper?: Paper;
  /** `argument` is "" where none was given. A method, not a function property: plugins of any options make one list. */
  create(options: OptionValues<O>, argument: string, context: PluginContext): Methods[K] | Promise<Methods[K]>;
}

/** The same plugin: infers the types of `create`'s options from their declarations. */
export function definePlugin<K extends keyof Methods, const O extends OptionSpecs = Record<never, never>>(
  plugin: Plugin<K, O>,
): Plugin<K> {
  return plugin;
}

/** The methods at hand. */
export class Registry {
  readonly #plugins: Plugin[] = [];
  /** Where plugins of a stranger's file came from. */
  readonly #files = new Map<Plugin, string>();

  constructor(plugins: Iterable<Plugin> = []) {
    for (const plugin of plugins) this.add(plugin);
  }

  /** Throws HunchError("usage") where a method of that kind and name is there already. */
  add(plugin: Plugin): void {
    if (this.list(plugin.kind).some(({ name }) => name === plugin.name)) {
      throw new HunchError("usage", `there are two ${KINDS[plugin.kind]}s called ${plugin.name}`, {
        hint: "rename one",
      });
    }
    this.#plugins.push(plugin);
  }

  /** Adds what a TypeScript or JavaScript file exports as default, one plugin or several, and returns it. */
  async load(path: string): Promise<readonly Plugin[]> {
    const plugins = await importPlugins(path);
    for (const plugin of plugins) {
      this.add(plugin);
      this.#files.set(plugin, path);
    }
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
    throw new HunchError("usage", `there is no ${KINDS[kind]} ${JSON.stringify(name)}`, {
      hint: names.length > 0 ? hint : "",
    });
  }

  /** The controller that goes with the drafter of a spec; undefined where any does. */
  controllerOf(drafter: string): string | undefined {
    return this.find("drafter", parseSpec(drafter).name).controller;
  }

  /**
   * Makes the method that a spec such as `lookup?longest=4` or `model:draft.gguf` names. Throws HunchError("usage")
   * where the spec is wrong, and whatever the method's `create` throws.
   */
  async resolve<K extends keyof Methods>(kind: K, spec: string, context: PluginContext): Promise<Methods[K]> {
    const { name, argument, options } = parseSpec(spec);
    const plugin = this.find(kind, name);
    if (plugin.argument === undefined && argument !== "") {
      throw new HunchError("usage", `${name} takes nothing after a colon`, { hint: `write ${name}` });
    }
    if (plugin.argument !== undefined && argument === "" && !plugin.argument.startsWith("[")) {
      throw new HunchError("usage", `${name} needs its ${plugin.argument}`, {
        hint: `write ${name}:${plugin.argument}`,
      });
    }
    const values = checkOptions(name, plugin.options ?? {}, options);
    const create = () => plugin.create(values, argument, context);
    const file = this.#files.get(plugin);
    return file === undefined ? await create() : await guarded(plugin, file, create);
  }

  /**
   * Throws HunchError("usage") where a rule cannot judge what the drafter draws, naming what would fit. Without a
   * sampling, only where none of its laws will do.
   */
  async checkPair(
    drafter: Drafter,
    rule: VerificationRule,
    context: PluginContext,
    sampling?: Sampling,
  ): Promise<void> {
    const fault = pairFault(drafter, rule, sampling);
    const laws = sampling === undefined ? drafter.laws : drafter.lawsAt?.(sampling) ?? drafter.laws;
    if (fault === undefined || sampling === undefined && laws.some((law) => rule.laws.includes(law))) return;
    const rules = await this.#namesOf(
      "rule",
      context,
      (other) => laws.every((law) => other.laws.includes(law)) && (sampling === undefined || worksAt(other, sampling)),
    );
    const hints = [rules.length > 0 ? `rules that can: ${rules.join(", ")}` : "no rule here can"];
    if (drafter.shape !== undefined) {
      const warm = sampling?.temperature === 0 ? drafter.lawsAt?.({ ...sampling, temperature: 1 }) : undefined;
      const shapes = await this.#namesOf("shape", context, ({ law }) => rule.laws.includes(law));
      if (warm?.every((law) => rule.laws.includes(law))) hints.push("a temperature above 0 would do");
      else if (shapes.length > 0 && sampling?.temperature !== 0) {
        hints.push(`shapes that ${rule.name} can judge: ${shapes.join(", ")}`);
      }
    }
    throw new HunchError("usage", fault, { hint: hints.join("; ") });
  }

  /** Names of methods that can be made without an argument and are as wanted. */
  async #namesOf<K extends keyof Methods>(
    kind: K,
    context: PluginContext,
    wanted: (method: Methods[K]) => boolean,
  ): Promise<string[]> {
    const names: string[] = [];
    for (const { name, argument } of this.list(kind)) {
      if (argument !== undefined && !argument.startsWith("[")) continue;
      if (wanted(await this.resolve(kind, name, context))) names.push(name);
    }
    return names;
  }
}
