// What proofs of shapes and of drafters under a rule have in common where they are told.
import type { Exact } from "../../src/check/enumerate.ts";

/** Of one method under one rule. */
export interface ProofReport {
  readonly spec: string;
  readonly rule: string;
  readonly cases: number;
  readonly worst: number;
  readonly accepted: number;
  readonly failure?: { readonly exact: Exact };
}

/** Headings of `proofCells`, and which of them are set to the right when they come as columns `from` … */
export const PROOF_HEADING = ["rule", "", "cases", "worst TV", "accepted"];
export const numbersFrom = (from: number): number[] => [from + 2, from + 3, from + 4];

export function proofCells({ rule, failure, cases, worst, accepted }: ProofReport): string[] {
  return [
    rule,
    failure === undefined ? "lossless" : failure.exact.hidden === undefined ? "REFUTED" : "HIDDEN RANDOMNESS",
    String(cases),
    worst === 0 ? "0" : worst.toExponential(1),
    Number.isNaN(accepted) ? "–" : accepted.toFixed(4),
  ];
}

/** What a failure came to; `where` says on what. */
export function failureLine(spec: string, rule: string, exact: Exact, where: string): string {
  const hidden = exact.hidden && `hidden randomness: ${exact.hidden}; all chance must come from its argument`;
  const what = hidden ?? exact.broken ?? `total variation ${exact.totalVariation.toExponential(1)}`;
  return `${spec} with ${rule}: ${what}, on ${where}`;
}
