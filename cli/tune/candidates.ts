// What hunch tune tries: every drafter at hand, with the shapes and controllers that may suit it, in every weight format.
import type { CostPoint } from "../../kernels/cost.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { type Setting, settingsOf } from "../bench/settings.ts";
import { DEFAULT_DRAFTER } from "../engine/methods.ts";

export interface Candidate {
  readonly format: WeightFormat;
  readonly setting: Setting;
}

/** Lossless rules that keep more of sampled drafts than `match` does, where the drafter knows how likely tokens are. */
const SAMPLED_RULES = ["match", "block", "recursive", "traversal"];
const SHAPES = { greedy: ["chain", "dynamic", "opt-tree"], sampled: ["chain", "gumbel?widths=2,2,1"] };
const CONTROLLERS = ["fixed?nodes=3", "fixed?nodes=8", "goodput"];

/**
 * Those that draft with the target itself are tried where they are named: they have lost on every model that was measured
 * (docs/self-speculation.md), and some search for minutes before the first draft.
 */
const ONLY_NAMED = ["skip", "swift", "clasp", "knn-ssd", "exit", "del", "superposed"];

/**
 * The first setting is plain decoding, the second what runs without a profile. `drafters`: those that were named; absent:
 * all that need no argument, but for those that draft with the target itself.
 */
export function tunedSettings(drafters: readonly string[], temperature: number, registry: Registry): Setting[] {
  for (const drafter of drafters) registry.check("drafter", drafter); // not left out as one that cannot run here
  const named = drafters.length > 0 ? drafters : registry.list("drafter")
    .filter(({ name, argument }) =>
      name !== "none" && !ONLY_NAMED.includes(name) && (argument === undefined || argument.startsWith("["))
    )
    .map(({ name }) => name);
  const rules = temperature === 0 ? [] : SAMPLED_RULES;
  const shapes = SHAPES[temperature === 0 ? "greedy" : "sampled"];
  const drafted = [DEFAULT_DRAFTER, ...named.filter((name) => name !== DEFAULT_DRAFTER)];
  const own = drafted.map((drafter) => [drafter, registry.controllerOf(drafter) ?? "cost"] as const);
  // Where time is short, every drafter has begun with its own controller before any has begun with another.
  const others = CONTROLLERS.flatMap((controller) => drafted.map((drafter) => [drafter, controller] as const));
  const settings = [...own, ...others].flatMap(([drafter, controller]) => {
    const wanted = { drafters: [drafter], shapes, rules, controllers: [controller] };
    return settingsOf(wanted, temperature, registry).slice(1).map((setting) => ({
      ...setting,
      name: [setting.drafter, setting.rule, setting.controller].join(", "),
    }));
  });
  return [...settingsOf({ drafters: [], shapes: [], rules: [], controllers: [] }, temperature, registry), ...settings];
}

/** A format that another beats by so much at every width has no chance, whatever is drafted. */
const BEATEN = 1.1;
const WIDEST = 16;

/** The formats that may win, by what passes of 1 to 16 rows cost in each. */
export function promisingFormats(curves: ReadonlyMap<WeightFormat, readonly CostPoint[]>): WeightFormat[] {
  const narrow = (points: readonly CostPoint[]) => points.filter(({ width }) => width <= WIDEST);
  return [...curves].filter(([format, curve]) =>
    ![...curves].some(([other, faster]) =>
      other !== format && narrow(curve).every(({ ms }, i) => ms > BEATEN * narrow(faster)[i].ms)
    )
  ).map(([format]) => format);
}
