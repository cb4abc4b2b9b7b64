// hunch check --chi-square: tokens drawn by each rule at places of a real text, against the target's own distribution.
import { SeededChance } from "../../src/chance.ts";
import { drawPlace, OnePlace, type Place } from "../../src/check/acceptance.ts";
import { chiSquare, deviate } from "../../src/check/chi-square.ts";
import { type Distribution, sparse, totalVariation } from "../../src/math/distribution.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { type Law, LAWS, withPlaces } from "./places.ts";
import type { CheckCommand } from "./options.ts";
import { stdout } from "../output/streams.ts";
import { table } from "../output/table.ts";
import { working } from "./watched.ts";

const DRAFTS = 2;
/** A deviate that chance exceeds once in three million tests. */
const FAR = 5;

interface Row {
  readonly rule: string;
  readonly law: Law;
  readonly lossless: boolean;
  readonly statistic: number;
  readonly freedom: number;
  readonly z: number;
  readonly impossible: number;
  /** Total variation of what was drawn from the target's distribution, mean of the places. */
  readonly distance: number;
}

/** Returns the exit code. */
export async function checkChiSquare(options: CheckCommand): Promise<number> {
  return await withPlaces(options, (places, rules, status) => {
    const laws = options.laws.length > 0 ? LAWS.filter((law) => options.laws.includes(law)) : LAWS;
    const pairs = rules.flatMap((rule) => laws.filter((law) => rule.laws.includes(law)).map((law) => ({ rule, law })));
    const rows: Row[] = [];
    for (const [i, { rule, law }] of pairs.entries()) {
      status.progress(`${rule.name}, ${law}`, i / pairs.length);
      const row = testRule(rule, law, places, options);
      if (row !== undefined) rows.push(row);
    }
    status.clear();
    const noise = ownDistance(places, options);
    if (options.json) stdout.line(JSON.stringify({ places: places.length, draws: options.draws, noise, rows }));
    else print(rows, noise, places.length, options.draws);
    return rows.some((row) => row.lossless && refuted(row)) ? EXIT.refuted : EXIT.ok;
  });
}

const refuted = ({ z, impossible }: Row) => z > FAR || impossible > 0;

/** Statistics of all places together; undefined where the rule refuses this vocabulary or so many drafts. */
function testRule(rule: VerificationRule, law: Law, places: readonly Place[], options: CheckCommand): Row | undefined {
  const chance = new SeededChance(`${options.seed}/${rule.name}/${law}`);
  let [statistic, freedom, impossible, distance] = [0, 0, 0, 0];
  for (const [place, { p, q }] of places.entries()) {
    working(`${rule.name}, ${law}, place ${place + 1}`);
    const counts = new Map<number, number>();
    for (let i = 0; i < options.draws / places.length; i++) {
      const tree = drawPlace(q, law, DRAFTS, chance);
      try {
        const { path, next } = rule.verify(tree, new OnePlace(p, tree.tokens.length + 1), chance);
        const token = path.length > 0 ? tree.tokens[path[0]] : next;
        counts.set(token, (counts.get(token) ?? 0) + 1);
      } catch (error) {
        if (error instanceof HunchError) return undefined;
        throw error;
      }
    }
    const part = chiSquare(counts, p);
    statistic += part.statistic;
    freedom += part.freedom;
    impossible += part.impossible;
    distance += distanceOf(counts, p) / places.length;
  }
  const z = deviate(statistic, freedom);
  return { rule: rule.name, law, lossless: rule.lossless, statistic, freedom, z, impossible, distance };
}

/** Total variation of `counts` by token from `p`. */
function distanceOf(counts: ReadonlyMap<number, number>, p: Distribution): number {
  const draws = [...counts.values()].reduce((a, b) => a + b, 0);
  return totalVariation(sparse(p.vocab, [...counts.keys()], [...counts.values()].map((count) => count / draws)), p);
}

/** What `distance` is of as many draws of the target's own: so much is chance. */
function ownDistance(places: readonly Place[], options: CheckCommand): number {
  const chance = new SeededChance(`${options.seed}/own`);
  let distance = 0;
  for (const { p } of places) {
    const counts = new Map<number, number>();
    for (let i = 0; i < options.draws / places.length; i++) {
      const token = chance.pick(p);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    distance += distanceOf(counts, p) / places.length;
  }
  return distance;
}

function print(rows: readonly Row[], noise: number, places: number, draws: number): void {
  stdout.line(
    `the first token of ${draws} rounds at ${places} places, ${DRAFTS} drafts each; z is a standard deviate, TV the ` +
      `total variation from the target (${noise.toFixed(3)} is chance: draws of the target's own have it)`,
  );
  const lines = rows.map((row) => [
    row.rule,
    row.law,
    !row.lossless ? "relaxed" : refuted(row) ? "REFUTED" : "passes",
    row.statistic.toFixed(1),
    String(row.freedom),
    row.z.toFixed(2),
    String(row.impossible),
    row.distance.toFixed(3),
  ]);
  const head = ["rule", "law", "", "chi-square", "freedom", "z", "impossible", "TV"];
  for (const line of table([head, ...lines], [3, 4, 5, 6, 7])) stdout.line(line);
}
