// The contract of a plugin: one published method, its options and how it is made.
import type { Backend, Engine } from "../backend.ts";
import type { Controller } from "../controller.ts";
import type { Drafter, Proposer } from "../drafter.ts";
import type { VerificationRule } from "../rule.ts";
import type { TreeShape } from "../shape.ts";

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

/** What the kinds of methods are called, in the order in which they are listed. */
export const KINDS = {
  drafter: "drafter",
  proposer: "proposer",
  shape: "tree shape",
  rule: "rule",
  controller: "controller",
  backend: "backend",
} as const satisfies Record<keyof Methods, string>;

export type OptionValues = Readonly<Record<string, number | boolean | string>>;

export interface Plugin<K extends keyof Methods = keyof Methods> {
  readonly kind: K;
  readonly name: string;
  /** One line for `hunch plugin list`. */
  readonly summary: string;
  /** What the colon argument is, as in `model:FILE`; in brackets where it may be left out; absent: none is taken. */
  readonly argument?: string;
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Of drafters: the controller that goes with it where none is named. */
  readonly controller?: string;
  readonly paper?: Paper;
  /** `options` holds every declared option, checked; `argument` is "" where none was given. */
  create(options: OptionValues, argument: string, context: PluginContext): Methods[K] | Promise<Methods[K]>;
}

/** Identity, for inference and for one way to write a plugin. A plugin file exports one or several as default. */
export function definePlugin<K extends keyof Methods>(plugin: Plugin<K>): Plugin<K> {
  return plugin;
}
