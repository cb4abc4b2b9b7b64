// The proof: a rule against random and adversarial cases of each of its laws, every branch followed.
import { SeededChance } from "../chance.ts";
import { dense } from "../math/distribution.ts";
import { HunchError } from "../errors.ts";
import type { VerificationRule } from "../rule.ts";
import type { DraftLaw } from "../tree.ts";
import { optimalAcceptance } from "./bound.ts";
import { type Case, Rows } from "./case.ts";
import { enumerateRule, type Exact } from "./enumerate.ts";
import { KINDS, LEAST_POWER, makeCase, peakedCases, Random, type Size, treeShapes } from "./generate-cases.ts";
import { shrink } from "./shrink.ts";
import { enumerateWide, type WideCase, wideCases } from "./wide.ts";

/** A rule that claims to be lossless must be this near to the target, in total variation. */
export const EXACT = 1e-12;

export interface ProofOptions {
  /** Laws to try; those of the rule where absent. */
  readonly laws?: readonly DraftLaw[];
  /** Vocabulary, drafts per place and depth of the cases; a mixture of small ones where absent. */
  readonly vocab?: number;
  readonly drafts?: number;
  readonly depth?: number;
  /** Fewer and smaller cases: every kind once on each of the smallest trees. For tests. */
  readonly quick?: boolean;
  /** Cases per kind and size; more rounds, more random cases. */
  readonly rounds?: number;
  readonly seed?: number | string;
  /** Only this case, as it is: a failure is not made smaller. Its law is the one that is tried. */
  readonly only?: Case | WideCase;
  /** Told after each law's part. */
  readonly progress?: (law: DraftLaw, fraction: number) => void;
  /** Told before each case is run. */
  readonly begin?: (of: Case) => void;
}

/** A case on which the rule is not lossless, as small as it could be made. */
export interface Failure {
  readonly case: Case;
  readonly exact: Exact;
}

/** What the cases of one law say. Means are over cases. */
export interface LawReport {
  readonly law: DraftLaw;
  readonly cases: number;
  readonly branches: number;
  /** Greatest total variation from the target's joint distribution. */
  readonly worst: number;
  /** Mean accepted tokens of a round. */
  readonly accepted: number;
  /** Mean probability that a first token is accepted, and the most that any lossless rule reaches on the same cases. */
  readonly first: number;
  readonly bound?: number;
  /** Distance of a single emitted token from the target: mean and worst total variation, mean KL divergence in nats. */
  readonly perToken: { readonly mean: number; readonly worst: number; readonly divergence: number };
  readonly failure?: Failure;
  /** The first case of tens of thousands of tokens that is not exact. */
  readonly wideFailure?: WideFailure;
}

export interface WideFailure {
  readonly case: WideCase;
  readonly totalVariation: number;
}

export interface RuleReport {
  readonly rule: string;
  readonly lossless: boolean;
  readonly laws: readonly LawReport[];
  /** False where a rule that claims to be lossless is not. */
  readonly holds: boolean;
}

/** Runs the proof. Throws what the rule throws. */
export function proveRule(rule: VerificationRule, options: ProofOptions = {}): RuleReport {
  const wanted = options.only === undefined ? options.laws ?? rule.laws : [options.only.law];
  const laws = wanted.map((law): LawReport => {
    const report = proveLaw(rule, law, options);
    return report.failure === undefined ? { ...report, ...proveWide(rule, law, options, report) } : report;
  });
  const holds = laws.every(({ failure, wideFailure }) => failure === undefined && wideFailure === undefined);
  return { rule: rule.name, lossless: rule.lossless, laws, holds };
}

/** Trees are cut where they would have more drafts than can be followed: about vocab^nodes of them. */
function nodesFor(vocab: number): number {
  return Math.max(1, Math.min(5, Math.floor(Math.log(2000) / Math.log(vocab))));
}

function sizes(rule: VerificationRule, options: ProofOptions): Size[] {
  const most = rule.maxSiblings ?? Infinity;
  const given = options.vocab !== undefined || options.drafts !== undefined || options.depth !== undefined;
  const all = given
    ? [{ vocab: options.vocab ?? 3, drafts: options.drafts ?? 2, depth: options.depth ?? 2 }]
    : options.quick
    ? [{ vocab: 3, drafts: 2, depth: 2 }]
    : [{ vocab: 2, drafts: 2, depth: 2 }, { vocab: 3, drafts: 3, depth: 2 }, { vocab: 3, drafts: 2, depth: 3 }, {
      vocab: 4,
      drafts: 2,
      depth: 2,
    }];
  return all.map((size) => ({
    ...size,
    drafts: Math.min(size.drafts, most),
    nodes: Math.max(nodesFor(size.vocab), Math.min(size.depth, 3)),
  }));
}

/** The cases of one law, the same for every rule. */
export function* casesOf(law: DraftLaw, rule: VerificationRule, options: ProofOptions = {}): Generator<[Case, number]> {
  if (options.only !== undefined) {
    if (!isWide(options.only)) yield [options.only, 0];
    return;
  }
  const random = randomOf(options);
  const kinds = [...Object.keys(KINDS), "mixed"];
  const rounds = options.rounds ?? 1;
  const all = rounds * (kinds.length + 1);
  for (let round = 0; round < rounds; round++) {
    for (const [i, kind] of kinds.entries()) {
      for (const size of sizes(rule, options)) {
        for (const parents of treeShapes(size, random, options.quick ? 0 : 2)) {
          yield [makeCase(kind, law, size.vocab, parents, random), (round * (kinds.length + 1) + i) / all];
        }
      }
    }
    if (options.quick) continue;
    for (let power = 1; power <= LEAST_POWER; power++) {
      const fraction = (round * (kinds.length + 1) + kinds.length + power / LEAST_POWER) / all;
      for (const each of peakedCases(law, Math.min(3, rule.maxSiblings ?? 3), power, random)) yield [each, fraction];
    }
  }
}

function proveLaw(rule: VerificationRule, law: DraftLaw, options: ProofOptions): LawReport {
  let [cases, branches, worst, accepted, first, bound, mean, worstToken, divergence] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  let bounded = true;
  for (const [each, fraction] of casesOf(law, rule, options)) {
    options.progress?.(law, fraction);
    options.begin?.(each);
    const exact = enumerateRule(each, rule);
    cases++;
    branches += exact.branches;
    worst = Math.max(worst, exact.totalVariation);
    const checked = exact.hidden === undefined && rule.lossless && fails(exact, EXACT) ? onceMore(each, rule) : exact;
    if (checked.hidden !== undefined) {
      const failure = { case: each, exact: checked };
      return { law, cases, branches, worst: NaN, accepted: NaN, first: NaN, perToken: NOTHING, failure };
    }
    if (rule.lossless && fails(exact, EXACT)) {
      // A case that is far off must stay far off while it shrinks, or it would end in rounding.
      const limit = exact.totalVariation > 1e-6 ? 1e-6 : EXACT;
      const small = options.only ? each : shrink(each, (smaller) => {
        options.begin?.(smaller);
        return fails(enumerateRule(smaller, rule), limit);
      });
      const failure = { case: small, exact: enumerateRule(small, rule) };
      return { law, cases, branches, worst, accepted: NaN, first: NaN, perToken: NOTHING, failure };
    }
    if (exact.broken !== undefined) {
      throw new HunchError("input", `the rule ${rule.name} gave a verdict that cannot be: ${exact.broken}`);
    }
    accepted += exact.accepted;
    first += exact.first;
    mean += exact.perToken.totalVariation;
    worstToken = Math.max(worstToken, exact.perToken.totalVariation);
    divergence += exact.perToken.divergence;
    const target = new Rows(each, rule.greedy === true).p[0];
    const drafts = each.parents.filter((parent) => parent < 0).length;
    const best = optimalAcceptance(target, dense(each.q[0]), law, drafts);
    if (best === undefined) bounded = false;
    else bound += best;
  }
  return {
    law,
    cases,
    branches,
    worst,
    accepted: accepted / cases,
    first: first / cases,
    bound: bounded ? bound / cases : undefined,
    perToken: { mean: mean / cases, worst: worstToken, divergence: divergence / cases },
  };
}

/** Chance of its own may have shown in the sums and not in two runs of a branch; then it shows in some more. */
function onceMore(of: Case, rule: VerificationRule): Exact {
  let exact = enumerateRule(of, rule);
  for (let i = 0; i < 8 && exact.hidden === undefined; i++) exact = enumerateRule(of, rule);
  return exact;
}

const isWide = (of: Case | WideCase): of is WideCase => "groups" in of;

const randomOf = ({ seed }: ProofOptions) => new Random(new SeededChance(seed ?? "hunch check"));

/** Adds to a report the cases of tens of thousands of tokens, where there are such. */
function proveWide(
  rule: VerificationRule,
  law: DraftLaw,
  options: ProofOptions,
  report: LawReport,
): Partial<LawReport> {
  const { only, quick, vocab, drafts, depth } = options;
  const small = only === undefined ? quick || (vocab ?? drafts ?? depth) !== undefined : !isWide(only);
  if (small || law === "beam" || !(rule.lossless || only !== undefined)) return {};
  let { cases, worst } = report;
  for (const each of only !== undefined && isWide(only) ? [only] : wideCases(law, randomOf(options))) {
    options.progress?.(law, 1);
    const totalVariation = enumerateWide(each, rule, EXACT);
    if (totalVariation === undefined) break;
    cases++;
    worst = Math.max(worst, totalVariation);
    if (rule.lossless && !(totalVariation <= EXACT)) {
      return { cases, worst, wideFailure: { case: each, totalVariation } };
    }
  }
  return { cases, worst };
}

const NOTHING = { mean: NaN, worst: NaN, divergence: NaN };

function fails(exact: Exact, limit: number): boolean {
  return exact.broken !== undefined || !(exact.totalVariation <= limit);
}
