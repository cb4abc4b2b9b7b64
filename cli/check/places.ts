// Places of a real text: what hunch check needs of a target and a drafter to measure rules on.
import type { Engine } from "../../src/backend.ts";
import type { Place } from "../../src/check/acceptance.ts";
import { normalise } from "../../src/math/distribution.ts";
import type { Proposer } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { sampledPass } from "../../src/round/sampled-scores.ts";
import { openCache } from "../cache/cache.ts";
import type { CheckCommand } from "./options.ts";
import { Engines, settingOf } from "../engine/engines.ts";
import { openRegistry } from "../engine/methods.ts";
import { Status } from "../output/status.ts";
import { readText } from "../input/text.ts";
import { DRAFT_LAWS, type DraftLaw } from "../../src/tree.ts";
import { working } from "./watched.ts";

/** The laws that can be drawn at one place. */
export type Law = Exclude<DraftLaw, "beam">;
export const LAWS = DRAFT_LAWS.filter((law): law is Law => law !== "beam");

/** A text in which some words come again, so that every kind of drafter finds something. */
const TEXT =
  `The river rises in the hills above the town. In spring the river floods the meadows below the town, and ` +
  `the people of the town move their animals to the hills. In summer the river is low, the meadows are dry, and the ` +
  `animals come down from the hills again. So the year of the town is the year of the river: what the river gives in ` +
  `summer it takes in spring, and what it takes in spring it gives back in summer.`;

/** Opens the models, runs `measure` and closes everything. */
export async function withPlaces<T>(
  options: CheckCommand,
  measure: (places: readonly Place[], rules: readonly VerificationRule[], status: Status) => T,
): Promise<T> {
  const status = new Status();
  const registry = await openRegistry(options.plugins);
  const cacheDir = openCache();
  const engines = new Engines({ ...settingOf(options), registry, cacheDir, progress: status.progress });
  try {
    working("loading the models");
    const target = await engines.load(await engines.source(options.model), options.backend);
    const context = engines.contextOf(target, options.backend);
    const proposer = await registry.resolve("proposer", options.proposer, context);
    engines.closeLater(() => proposer.close?.());
    const places = await placesOf(target, proposer, options, status);
    return measure(places, await rulesOf(options, registry, context), status);
  } finally {
    status.clear();
    engines.close();
  }
}

/** Evenly spread over the second half of the text, where drafters that learn from it have seen something. */
async function placesOf(engine: Engine, proposer: Proposer, options: CheckCommand, status: Status): Promise<Place[]> {
  const text = options.file === undefined ? TEXT : await readText(options.file);
  const all = engine.source.tokenizer.encode(text, { begin: true });
  const whole = all.subarray(0, Math.min(all.length, engine.context));
  const half = Math.floor(whole.length / 2);
  const count = Math.min(options.places, whole.length - half);
  if (count < 1 || half < 1) throw new HunchError("usage", "the text is too short", { hint: "give a longer --file" });
  const sampling: Sampling = { ...GREEDY, temperature: options.temperature, topK: options.topK };
  const root = { tokens: new Int32Array(0), parents: new Int32Array(0) };
  const sequence = engine.open();
  const places: Place[] = [];
  try {
    for (let i = 0; i < count; i++) {
      status.progress("reading", i / count);
      const end = half + Math.floor((i + 1) * (whole.length - half) / count);
      const seen = whole.slice(0, end);
      const tokens = seen.slice(sequence.length);
      const scores = await sampledPass(sequence, { tokens, score: "last" }, sampling, seen, root);
      const row = scores.distribution(0);
      const p = normalise({ ...row, probabilities: row.probabilities.slice() });
      sequence.keep(Int32Array.from(tokens.keys()));
      await proposer.sync(seen, sampling);
      const [q] = await proposer.propose(root);
      if (q !== undefined) places.push({ p, q: normalise({ ...q, probabilities: q.probabilities.slice() }) });
    }
  } finally {
    sequence.close();
  }
  if (places.length === 0) throw new HunchError("usage", `${options.proposer} proposes nothing for this text`);
  return places;
}

async function rulesOf(options: CheckCommand, registry: Registry, context: PluginContext): Promise<VerificationRule[]> {
  const specs = options.rules.length > 0
    ? options.rules
    : registry.list("rule").filter(({ argument }) => argument === undefined).map(({ name }) => name);
  const rules: VerificationRule[] = [];
  for (const spec of specs) {
    const rule = await registry.resolve("rule", spec, context);
    if (!rule.greedy && rule.prepare === undefined) rules.push(rule);
  }
  return rules;
}
