// Distributions to put rules to the test on: a drafter's that are off from a target's as a small model's are, drawn from
// a seed, so that everybody gets the same figures.
import { SeededChance } from "../../src/chance.ts";
import type { Place } from "../../src/check/acceptance.ts";
import { type Case, contextCount } from "../../src/check/case.ts";
import { Random, scaled } from "../../src/check/generate-cases.ts";
import { dense } from "../../src/math/distribution.ts";
import { depthOf, type DraftLaw } from "../../src/tree.ts";

/** Of log p, and of how far log q is from it; standard deviations of normal numbers. */
const SPREAD = 1.5, NOISE = 1;

function rows(vocab: number, random: Random): [p: number[], q: number[]] {
  const log = Array.from({ length: vocab }, () => SPREAD * random.normal());
  return [scaled(log.map(Math.exp)), scaled(log.map((value) => Math.exp(value + NOISE * random.normal())))];
}

/** `count` places of a text over a vocabulary of 16. */
export function drawnPlaces(count = 100): Place[] {
  const random = new Random(new SeededChance("hunch claims, places"));
  return Array.from({ length: count }, () => {
    const [p, q] = rows(16, random);
    return { p: dense(p), q: dense(q) };
  });
}

/** `count` drafts of one form with everything that target and drafter would say around them, to be followed exactly. */
export function drawnCases(parents: readonly number[], law: DraftLaw, count = 20, vocab = 3): Case[] {
  const random = new Random(new SeededChance(`hunch claims, ${parents}`));
  const depth = depthOf({ parents });
  return Array.from({ length: count }, (): Case => {
    const pairs = Array.from({ length: contextCount(vocab, depth) }, () => rows(vocab, random));
    const p = pairs.map(([p]) => p);
    return {
      kind: "random",
      vocab,
      law,
      parents,
      p,
      q: pairs.slice(0, contextCount(vocab, depth - 1)).map(([, q]) => q),
      sparse: false,
    };
  });
}
