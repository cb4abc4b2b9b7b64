// hunch check --bound: how much of a model's real distributions each rule keeps, beside the most that any could.
import type { Engine } from "../src/backend.ts";
import { SeededChance } from "../src/chance.ts";
import { type Place, simulateAcceptance } from "../src/check/acceptance.ts";
import { optimalAcceptance } from "../src/check/bound.ts";
import { normalise } from "../src/distribution.ts";
import type { Proposer } from "../src/drafter.ts";
import { EXIT, HunchError } from "../src/errors.ts";
import { openModel } from "../src/model/open.ts";
import type { PluginContext, Registry } from "../src/registry.ts";
import type { VerificationRule } from "../src/rule.ts";
import { GREEDY, type Sampling } from "../src/sampling.ts";
import { refuseOtherVocabulary } from "../src/vocabulary.ts";
import { loadEngine } from "./backends.ts";
import { openCache } from "./cache.ts";
import type { CheckCommand } from "./commands/check.ts";
import { contextOf, openRegistry } from "./methods.ts";
import { findModel } from "./models.ts";
import { Status } from "./output/status.ts";
import { stdout } from "./output/streams.ts";
import { table } from "./output/table.ts";
import { readTextFile } from "./text.ts";

const MOST_DRAFTS = 8;
const LAWS = ["point", "iid", "distinct", "top-and-one"] as const;
type Law = typeof LAWS[number];

/** A text in which some words come again, so that every kind of drafter finds something. */
const TEXT =
  `The river rises in the hills above the town. In spring the river floods the meadows below the town, and ` +
  `the people of the town move their animals to the hills. In summer the river is low, the meadows are dry, and the ` +
  `animals come down from the hills again. So the year of the town is the year of the river: what the river gives in ` +
  `summer it takes in spring, and what it takes in spring it gives back in summer.`;

/** Returns the exit code. */
export async function checkBound(options: CheckCommand): Promise<number> {
  const status = new Status();
  const registry = await openRegistry(options.plugins);
  const cacheDir = openCache();
  const closing: (() => void)[] = [];
  const load = async (path: string): Promise<Engine> => {
    const source = await openModel(path, { context: options.context });
    closing.push(() => source.close());
    const wanted = { ...options, cacheDir, progress: status.progress };
    const engine = await loadEngine(options.backend, source, wanted, registry);
    closing.push(() => engine.close());
    return engine;
  };
  try {
    const target = await load(await findModel(options.model, cacheDir));
    const context = contextOf(registry, target, async (path) => {
      const draft = await load(await findModel(path, cacheDir));
      refuseOtherVocabulary(target.source, draft.source);
      return draft;
    });
    const proposer = await registry.resolve("proposer", options.proposer, context);
    closing.push(() => proposer.close?.());
    const places = await placesOf(target, proposer, options, status);
    const rules = await rulesOf(options, registry, context);
    const rows = acceptanceTables(places, rules, options, status);
    status.clear();
    if (options.json) stdout.line(JSON.stringify({ places: places.length, draws: options.draws, tables: rows }));
    else printTables(rows, places.length, options);
    return EXIT.ok;
  } finally {
    status.clear();
    closing.reverse().forEach((close) => close());
  }
}

/** Evenly spread over the second half of the text, where drafters that learn from it have seen something. */
async function placesOf(engine: Engine, proposer: Proposer, options: CheckCommand, status: Status): Promise<Place[]> {
  const text = options.file === undefined ? TEXT : readTextFile(options.file);
  const all = engine.source.tokenizer.encode(text, { begin: true });
  const tokens = all.subarray(0, Math.min(all.length, engine.context));
  const half = Math.floor(tokens.length / 2);
  const count = Math.min(options.places, tokens.length - half);
  if (count < 1 || half < 1) throw new HunchError("usage", "the text is too short", {}, "give a longer --file");
  const sampling: Sampling = { ...GREEDY, temperature: options.temperature };
  const sequence = engine.open();
  const places: Place[] = [];
  try {
    for (let i = 0; i < count; i++) {
      status.progress("reading", i / count);
      const end = half + Math.floor((i + 1) * (tokens.length - half) / count);
      const seen = tokens.slice(0, end);
      const scores = await sequence.forward({
        tokens: seen.slice(sequence.length),
        score: "last",
        temperature: options.temperature,
        need: "probabilities",
      });
      const row = scores.distribution(0);
      const p = normalise({ ...row, probabilities: row.probabilities.slice() });
      sequence.keep(Int32Array.from({ length: end - sequence.length }, (_, row) => row));
      await proposer.sync(seen, sampling);
      const [q] = await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
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

interface LawTable {
  readonly law: Law;
  /** By number of drafts, from 1. */
  readonly bound: readonly number[];
  readonly rules: readonly { rule: string; lossless: boolean; kept: readonly (number | undefined)[] }[];
}

function acceptanceTables(
  places: readonly Place[],
  rules: readonly VerificationRule[],
  options: CheckCommand,
  status: Status,
): LawTable[] {
  const laws = options.laws.length > 0 ? LAWS.filter((law) => options.laws.includes(law)) : LAWS;
  const counts = Array.from({ length: MOST_DRAFTS }, (_, i) => i + 1);
  return laws.map((law, done) => ({
    law,
    bound: counts.map((n) => {
      status.progress(`bound, ${law}`, (done + n / 2 / MOST_DRAFTS) / laws.length);
      return places.reduce((sum, { p, q }) => sum + optimalAcceptance(p, q, law, n)!, 0) / places.length;
    }),
    rules: rules.filter((rule) => rule.laws.includes(law)).map((rule) => ({
      rule: rule.name,
      lossless: rule.lossless,
      kept: counts.map((n) => {
        status.progress(`${rule.name}, ${law}`, (done + 0.5 + n / 2 / MOST_DRAFTS) / laws.length);
        return kept(rule, law, places, n, options);
      }),
    })),
  }));
}

/** Undefined where the rule refuses so many drafts or so large a vocabulary. */
function kept(rule: VerificationRule, law: Law, places: readonly Place[], n: number, options: CheckCommand) {
  if (n > (rule.maxSiblings ?? Infinity)) return undefined;
  try {
    const chance = new SeededChance(`${options.seed}/${rule.name}/${law}/${n}`);
    return simulateAcceptance(rule, law, places, n, options.draws, chance).mean;
  } catch (error) {
    if (error instanceof HunchError) return undefined;
    throw error;
  }
}

function printTables(
  tables: readonly LawTable[],
  places: number,
  { draws, proposer, temperature }: CheckCommand,
): void {
  const error = Math.sqrt(0.25 / draws).toFixed(3);
  stdout.line(
    `a first draft is kept: ${places} places, temperature ${temperature}, drafts of ${proposer}, each number ` +
      `from ${draws} draws (standard error up to ${error}); the bound is exact`,
  );
  for (const { law, bound, rules } of tables) {
    stdout.line();
    const head = [law, ...bound.map((_, i) => String(i + 1))];
    const rows = rules.map(({ rule, lossless, kept }) => [
      lossless ? rule : `${rule} (relaxed)`,
      ...kept.map((value) => value === undefined ? "–" : value.toFixed(3)),
    ]);
    const best = ["the bound of lossless rules", ...bound.map((value) => value.toFixed(3))];
    for (const line of table([head, ...rows, best], head.map((_, i) => i).slice(1))) stdout.line(line);
  }
}
