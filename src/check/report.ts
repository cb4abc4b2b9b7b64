// What a proof says, as lines for people.
import { depthOf } from "../tree.ts";
import { type Case, contextTokens } from "./case.ts";
import { differences } from "./enumerate.ts";
import { caseText } from "./case-file.ts";
import type { Failure, RuleReport, WideFailure } from "./prove.ts";

/** The table of `hunch check`: one line per rule and law. */
export function reportLines(reports: readonly RuleReport[]): string[] {
  const rows = [["rule", "law", "", "cases", "worst TV", "accepted", "first", "bound", "gap", "TV/token", "KL/token"]];
  for (const { rule, lossless, laws } of reports) {
    for (const law of laws) {
      rows.push([
        rule,
        law.law,
        law.failure?.exact.hidden !== undefined
          ? "HIDDEN RANDOMNESS"
          : !lossless
          ? "relaxed"
          : (law.failure ?? law.wideFailure) === undefined
          ? "lossless"
          : "REFUTED",
        String(law.cases),
        Number.isNaN(law.worst) ? "–" : law.worst === 0 ? "0" : law.worst.toExponential(1),
        figure(law.accepted),
        figure(law.first),
        figure(law.bound),
        figure(law.bound === undefined ? undefined : law.bound - law.first),
        lossless ? "" : figure(law.perToken.mean),
        lossless ? "" : figure(law.perToken.divergence),
      ]);
    }
  }
  const used = rows[0].map((_, column) => column < 3 || rows.some((row, i) => i > 0 && row[column] !== ""));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => column < 3 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
      .filter((_, column) => used[column]).join("  ").trimEnd()
  );
}

function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "∞";
  return Math.abs(value) < 5e-13 ? "0" : Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(4);
}

/** Which case it is, in a few words. */
export function caseLine({ kind, law, vocab, parents }: Case): string {
  return `law ${law}, ${kind}, tokens 0 … ${vocab - 1}, ${placesLine(parents)}`;
}

function placesLine(parents: readonly number[]): string {
  const place = (i: number) => i < 0 ? "root" : `d${i}`;
  return `places of the draft: ${parents.map((parent, i) => `${place(i)} under ${place(parent)}`).join(", ")}`;
}

/** A failing case, readable enough to follow by hand. */
export function failureLines(rule: string, { case: of, exact }: Failure): string[] {
  if (exact.hidden !== undefined) {
    return [`${rule} has hidden randomness (law ${of.law}): ${exact.hidden}; all chance must come from its argument`];
  }
  const { vocab, parents } = of;
  const lines = [
    `${rule} is not lossless for the law ${of.law}; the smallest case found (${of.kind}):`,
    `  tokens 0 … ${vocab - 1}; ${placesLine(parents)}`,
  ];
  for (const which of ["p", "q"] as const) {
    const rows = of[which];
    const same = rows.every((row) => row.join() === rows[0].join());
    for (const [context, row] of (same ? rows.slice(0, 1) : rows).entries()) {
      const after = same
        ? "always"
        : context === 0
        ? "at the root"
        : `after ${contextTokens(context, vocab).join(" ")}`;
      lines.push(`  ${which} ${after}: ${row.map((value) => number(value)).join("  ")}`);
    }
  }
  const asFile = `  as a file for hunch check --case: ${caseText(of)}`;
  if (exact.broken !== undefined) return [...lines, `  ${exact.broken}`, asFile];
  lines.push(
    `  probability of ${depthOf({ parents }) + 1} tokens, the rule's output continued by the target's own sampling:`,
  );
  for (const { tokens, target, rule: ours } of differences(of, exact)) {
    lines.push(`    ${tokens.join(" ")}: target ${number(target)}, ${rule} ${number(ours)}`);
  }
  lines.push(`  total variation ${exact.totalVariation.toExponential(2)}`, asFile);
  return lines;
}

/** A failing case of tens of thousands of tokens. */
export function wideFailureLines(rule: string, { case: of, totalVariation }: WideFailure): string[] {
  return [
    `${rule} is not lossless for the law ${of.law} with ${of.drafts} drafts of one place (${of.kind}):`,
    ...of.groups.map(({ count, p, q }) => `  ${count} tokens with p ${number(p)} and q ${number(q)} each`),
    `  total variation of the first token ${totalVariation.toExponential(2)}`,
    `  as a file for hunch check --case: ${caseText(of)}`,
  ];
}

function number(value: number): string {
  const short = Number(value.toPrecision(4));
  return Math.abs(short - value) < 1e-15 ? String(short) : value.toPrecision(value < 1e-3 ? 3 : 6);
}
