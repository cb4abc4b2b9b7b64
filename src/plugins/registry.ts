// Plugins: one published method each. Built-in methods and a stranger's file are registered by the same definePlugin.
import type { Drafter } from "../drafter.ts";
import { HunchError } from "../errors.ts";
import { pairFault, worksAt } from "./pairing.ts";
import { importPlugins } from "./file.ts";
import { guarded } from "./guard.ts";
import { KINDS, type Methods, type Plugin, type PluginContext } from "./plugin.ts";
import type { VerificationRule } from "../rule.ts";
import type { Sampling } from "../sampling.ts";
import { suggestion } from "../suggestion.ts";
import { checkOptions, parseSpec } from "./method-spec.ts";

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
    throw new HunchError("usage", `there is no ${KINDS[kind]} ${JSON.stringify(name)}`, {
      hint: suggestion(name, names),
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
    const { plugin, argument, values } = this.check(kind, spec);
    const create = () => plugin.create(values, argument, context);
    const file = this.#files.get(plugin);
    return file === undefined ? await create() : await guarded(plugin, file, create);
  }

  /** The plugin of a spec, its argument and all its options. Throws HunchError("usage") where the spec is wrong. */
  check<K extends keyof Methods>(kind: K, spec: string) {
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
    return { plugin, argument, values: checkOptions(name, plugin.options ?? {}, options) };
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
