// What a reader of a benchmark must know before believing it.
import { RANDOM_WEIGHTS } from "../engine/models.ts";
import { kindOf, rate, SHORT, type Unsummed } from "./results.ts";
import { LEAST_PROMPTS, median, spread } from "./statistics.ts";

/** Spread of plain decoding beyond which the machine was busy. */
const BUSY = 0.15;
/** Share of the time without a free core beyond which it was: who slows everybody all the time spreads nothing. */
const WAITED = 0.1;

/** Of a model by its title; empty where its weights are not random. */
export function randomWarning(title: string): string[] {
  return title.includes(RANDOM_WEIGHTS)
    ? ["the weights are random: times of passes are a real model's, what is kept of drafts is nobody's"]
    : [];
}

/** `groups`: times or speeds of plain decoding that would be the same on a machine without other work. */
export function busyWarning(groups: readonly (readonly number[])[]): string[] {
  const beside = groups.flatMap((group) => {
    const middle = median(group);
    return group.map((value) => value / middle);
  });
  if (beside.length === 0 || spread(beside) <= BUSY) return [];
  const percent = Math.round(100 * spread(beside));
  return [
    `the machine was busy: the middle half of plain decoding spreads over ${percent}% of its median; close what else runs and measure again`,
  ];
}

export function warningsOf({ model, settings, prompts, turns, facts, runs, waited = 0 }: Unsummed): string[] {
  const warnings = randomWarning(model.title);
  const plain = runs.filter((run) => run.setting === settings[0].name && run.tokens >= SHORT);
  // Kinds differ in their speed; what is left within them is the machine's, and a little the prompts'. Where each has one
  // prompt, all of them stand together.
  const byKind = [...Map.groupBy(plain, ({ prompt }) => kindOf(prompt)).values()];
  const groups = byKind.some((group) => group.length > 1) ? byKind : [plain];
  warnings.push(...busyWarning(groups.map((group) => group.map(rate))));
  if (waited > WAITED) {
    const percent = Math.round(100 * waited);
    warnings.push(
      `the machine was busy: for ${percent}% of the time no core was free; close what else runs and measure again`,
    );
  }
  const few = [...Map.groupBy(facts, ({ kind }) => kind)].filter(([, own]) => own.length < LEAST_PROMPTS);
  if (few.length > 0) {
    const told = few.map(([kind, own]) => `${own.length} ${own.length === 1 ? "prompt" : "prompts"} of ${kind}`);
    warnings.push(`only ${told.join(", ")}: fewer than ${LEAST_PROMPTS} show a range and no interval; raise --prompts`);
  }
  const [measured, wanted] = [runs.filter((run) => run.setting === settings[0].name).length, prompts.length * turns];
  if (measured < wanted) {
    const each = turns > 1 ? `, each in ${turns} turns` : "";
    warnings.push(`stopped before the end: ${facts.length} of ${prompts.length} prompts${each}; go on by --resume`);
  }
  const cut = facts.filter((fact) => fact.cut > 0).length;
  if (cut > 0) warnings.push(`${cut} of ${facts.length} prompts were cut at their beginning to fit the context`);
  const short = new Set(
    plain.length < runs.length ? runs.filter(({ tokens }) => tokens < SHORT).map((run) => run.prompt) : [],
  );
  if (short.size > 0) {
    const told = short.size === 1 ? "1 prompt has an answer" : `${short.size} prompts have answers`;
    warnings.push(`${told} of fewer than ${SHORT} tokens, left out`);
  }
  for (const { name } of settings) {
    const differing = new Set(
      runs.filter((run) => run.setting === name && run.same === false).map((run) => run.prompt),
    );
    if (differing.size > 0) {
      warnings.push(`${name}: ${differing.size} texts differ from plain decoding's, which they must not`);
    }
  }
  return warnings;
}
