// What is measured beside plain decoding: every drafter with every shape, rule and controller that was asked for.
import type { Specs } from "../engine/session.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import { HunchError } from "../../src/errors.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";

/** Methods with the name that tables give them. */
export interface Setting extends Specs {
  readonly name: string;
}

export interface Wanted {
  readonly drafters: readonly string[];
  readonly shapes: readonly string[];
  readonly rules: readonly string[];
  readonly controllers: readonly string[];
}

export const PLAIN = "plain";
const KINDS = ["drafter", "rule", "controller"] as const;

/** Decoding without drafts, which everything else is measured beside. */
export function plainSetting(temperature: number): Setting {
  return { name: PLAIN, drafter: "none", rule: standardRule(temperature), controller: "fixed?nodes=0" };
}

/**
 * Plain decoding first. A drafter without tree shapes is measured once, whatever shapes are asked for. Throws
 * HunchError("usage") where a drafter that takes shapes names its own beside them.
 */
export function settingsOf(wanted: Wanted, temperature: number, registry: Registry): Setting[] {
  for (const shape of wanted.shapes) registry.check("shape", shape); // no drafter may take one
  const drafters = wanted.drafters.flatMap((drafter) => withShapes(drafter, wanted.shapes, registry));
  const rules = wanted.rules.length > 0 ? wanted.rules : [standardRule(temperature)];
  const specs = drafters.flatMap((drafter) => {
    const controllers = wanted.controllers.length > 0 ? wanted.controllers : [registry.controllerOf(drafter) ?? "cost"];
    return rules.flatMap((rule) => controllers.map((controller) => ({ drafter, rule, controller })));
  });
  const differing = KINDS.filter((kind) => kind === "drafter" || new Set(specs.map((spec) => spec[kind])).size > 1);
  const named = specs.map((spec) => ({ name: differing.map((kind) => spec[kind]).join(", "), ...spec }));
  return [plainSetting(temperature), ...new Map(named.map((setting) => [setting.name, setting])).values()];
}

function withShapes(drafter: string, shapes: readonly string[], registry: Registry): string[] {
  const { name, options } = parseSpec(drafter);
  if (shapes.length === 0 || !Object.hasOwn(registry.find("drafter", name).options ?? {}, "shape")) return [drafter];
  if (options.has("shape")) {
    throw new HunchError("usage", `${drafter} has a shape, and --shape names others`, { hint: "leave one out" });
  }
  return shapes.map((shape) =>
    `${drafter}${options.size > 0 ? "&" : "?"}shape=${/[?&]/.test(shape) ? `(${shape})` : shape}`
  );
}

function standardRule(temperature: number): string {
  return temperature === 0 ? "greedy" : "match";
}
