// The contract of a plugin: one published method, its options and how it is made.
import type { Backend, Engine } from "../backend.ts";
import type { Controller } from "../controller.ts";
import type { Drafter, Proposer } from "../drafter.ts";
import type { VerificationRule } from "../rule.ts";
import type { TreeShape } from "../shape.ts";
import type { Corpus } from "../store/corpus.ts";

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
   * Opens a second model on the backend for draft models; refuses another vocabulary than the target's unless any will
   * do. Where one of the same vocabulary has more or fewer tokens, its scores are for those of the target.
   */
  loadModel(path: string, vocabulary?: "same" | "any"): Promise<Engine>;
  /**
   * The texts of the store called `name`, or where it is left out, of the one that goes with all answers (--store);
   * undefined where there is no such. Absent where there are no stores. They grow with every answer: ask them anew.
   */
  corpus?(name?: string): Corpus | undefined;
  /** Folder where what was found out about a model is kept. Absent: nowhere. */
  readonly cacheDir?: string;
  /** As in EngineOptions. */
  readonly progress?: (step: string, fraction: number) => void;
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

/** What the kinds of methods are called, in the order in which they are listed. */
export const KINDS = {
  drafter: "drafter",
  proposer: "proposer",
  shape: "tree shape",
  rule: "rule",
  controller: "controller",
  backend: "backend",
} as const satisfies Record<keyof Methods, string>;

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
