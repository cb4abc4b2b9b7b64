// hunch check --bound: how much of a model's real distributions each rule keeps, beside the most that any could.
import { SeededChance } from "../../src/chance.ts";
import { type Place, simulateAcceptance } from "../../src/check/acceptance.ts";
import { optimalAcceptance } from "../../src/check/bound.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { type Law, LAWS, withPlaces } from "./places.ts";
import type { CheckCommand } from "./options.ts";
import type { Status } from "../output/status.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { working } from "./watched.ts";

const MOST_DRAFTS = 8;

/** Returns the exit code. */
export async function checkBound(options: CheckCommand): Promise<number> {
  return await withPlaces(options, (places, rules, status) => {
    const tables = acceptanceTables(places, rules, options, status);
    status.clear();
    if (options.json) stdout.line(JSON.stringify({ places: places.length, draws: options.draws, tables }));
    else printTables(tables, places.length, options);
    return EXIT.ok;
  });
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
      working(`bound, ${law}, ${n} drafts`);
      status.progress(`bound, ${law}`, (done + n / 2 / MOST_DRAFTS) / laws.length);
      return places.reduce((sum, { p, q }) => sum + optimalAcceptance(p, q, law, n)!, 0) / places.length;
    }),
    rules: rules.filter((rule) => rule.laws.includes(law)).map((rule) => ({
      rule: rule.name,
      lossless: rule.lossless,
      kept: counts.map((n) => {
        status.progress(`${rule.name}, ${law}`, (done + 0.5 + n / 2 / MOST_DRAFTS) / laws.length);
        working(`${rule.name}, ${law}, ${n} drafts`);
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
