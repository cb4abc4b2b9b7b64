// The exact output distribution of a draft law and a rule, by running the very code that ships through every branch.
import type { Chance } from "../chance.ts";
import { everyBranch, HiddenRandomness, type Outcome } from "./every-branch.ts";
import { dense, divergence, mass, probability, totalVariation } from "../math/distribution.ts";
import type { VerificationRule } from "../rule.ts";
import type { Verdict } from "../verdict.ts";
import { depthOf, type DraftTree } from "../tree.ts";
import { type Case, contextCount, contextTokens, Rows, TableScores } from "./case.ts";
import { drawTree } from "./laws.ts";

/** What one case says about one rule. */
export interface Exact {
  /**
   * Half the sum of |rule − target| over all sequences of depth + 1 tokens, where what the rule returns is continued by
   * the target's own sampling. 0: this round cannot be told from plain decoding by anything that follows.
   */
  readonly totalVariation: number;
  /** Expected length of the accepted path. */
  readonly accepted: number;
  /** Probability that at least one drafted token is accepted. */
  readonly first: number;
  /** Distance of the first emitted token from the target's row: total variation, and KL(rule ‖ target) in nats. */
  readonly perToken: { readonly totalVariation: number; readonly divergence: number };
  /** Verdicts by context of their last token: the joint distribution of (accepted tokens, next). */
  readonly verdicts: ReadonlyMap<number, number>;
  /** Where verdicts are wrong whatever their probability: a token that the target cannot say, a path that is none. */
  readonly broken?: string;
  /** Where a second run of the same branch did something else, what: then nothing here means anything. */
  readonly hidden?: string;
  /** Branches followed. */
  readonly branches: number;
}

/** Drafts of one case with their probabilities; by default those of its law. */
export type Drafts = (rows: Rows) => Iterable<Outcome<DraftTree>>;

const byLaw: Drafts = (rows) => everyBranch((chance) => drawTree(rows, chance));

/** Runs `rule` on every draft of `of` and every branch of its own chance, each twice. */
export function enumerateRule(of: Case, rule: VerificationRule, drafts: Drafts = byLaw): Exact {
  try {
    return enumerate(of, rule, drafts);
  } catch (error) {
    if (error instanceof HiddenRandomness) return hiddenRandomness(error);
    throw error;
  }
}

/** What is said of a case on which code had chance of its own. */
export function hiddenRandomness({ message }: HiddenRandomness): Exact {
  return { ...FAR, accepted: NaN, first: NaN, verdicts: new Map(), hidden: message, branches: 0 };
}

function enumerate(of: Case, rule: VerificationRule, drafts: Drafts): Exact {
  const rows = new Rows(of, rule.greedy === true);
  const depth = depthOf(of);
  const verdicts = new Map<number, number>();
  let accepted = 0;
  let first = 0;
  let branches = 0;
  let broken: string | undefined;
  for (const draft of drafts(rows)) {
    const scores = new TableScores(rows, draft.value);
    let total = 0;
    const verify = (chance: Chance) => rule.verify(draft.value, scores, chance);
    for (const { value: verdict, probability } of everyBranch(verify, verdictText)) {
      branches++;
      total += probability;
      broken = complaint(draft.value, verdict, scores, rule.lossless);
      if (broken !== undefined) break;
      const weight = draft.probability * probability;
      const length = verdict.path.length;
      const end = scores.context(length === 0 ? 0 : verdict.path[length - 1] + 1) * of.vocab + verdict.next + 1;
      verdicts.set(end, (verdicts.get(end) ?? 0) + weight);
      accepted += weight * length;
      if (length > 0) first += weight;
    }
    if (broken === undefined && Math.abs(total - 1) > 1e-9) {
      broken = `its branches have probability ${total} together; a rule must take all chance from its argument`;
    }
    if (broken !== undefined) break;
  }
  const distance = broken === undefined ? compare(rows, depth, verdicts) : FAR;
  return { ...distance, accepted, first, verdicts, broken, branches };
}

function verdictText({ path, next }: Verdict): string {
  return `path [${path.join(" ")}] and next ${next}`;
}

/** The distance of a rule whose verdicts are none. */
const FAR = { totalVariation: 1, perToken: { totalVariation: 1, divergence: Infinity } };

/** What is wrong with a verdict regardless of probabilities. */
function complaint(
  tree: DraftTree,
  { path, next }: Verdict,
  scores: TableScores,
  lossless: boolean,
): string | undefined {
  let parent = -1;
  for (const node of path) {
    if (!(node >= 0 && node < tree.tokens.length)) return `the accepted path has node ${node}, which does not exist`;
    if (tree.parents[node] !== parent) return `the accepted path [${path}] does not follow the tree`;
    if (lossless && !(probability(scores.distribution(parent + 1), tree.tokens[node]) > 0)) {
      return `it accepts token ${tree.tokens[node]}, which the target never says there`;
    }
    parent = node;
  }
  if (!(probability(scores.distribution(parent + 1), next) > 0)) {
    return `its next token is ${next}, which the target never says there`;
  }
  return undefined;
}

/** Extends verdicts to depth + 1 tokens by the target's own rows and compares with the target's joint distribution. */
function compare(rows: Rows, depth: number, verdicts: ReadonlyMap<number, number>) {
  const { ours, target } = joints(rows, depth, verdicts);
  const start = contextCount(rows.of.vocab, depth);
  let sum = 0;
  for (let i = start; i < ours.length; i++) sum += Math.abs(ours[i] - target[i]);
  const perToken = (ours.length - start) / rows.of.vocab; // sequences are in order, so those of one first token are too
  const first = (joint: Float64Array) =>
    dense(Array.from({ length: rows.of.vocab }, (_, token) => {
      return joint.subarray(start + token * perToken, start + (token + 1) * perToken).reduce((a, b) => a + b, 0);
    }));
  return {
    totalVariation: sum / 2,
    perToken: {
      totalVariation: totalVariation(first(ours), first(target)),
      divergence: divergence(first(ours), first(target)),
    },
  };
}

/** Probabilities by context of up to depth + 1 tokens: of the rule's output, extended, and of the target. */
function joints(rows: Rows, depth: number, verdicts: ReadonlyMap<number, number>) {
  const { vocab } = rows.of;
  const ours = new Float64Array(contextCount(vocab, depth + 1));
  const target = new Float64Array(ours.length);
  target[0] = 1;
  for (const [context, weight] of verdicts) ours[context] += weight;
  for (let context = 0; context < contextCount(vocab, depth); context++) {
    const row = rows.p[context];
    const sum = mass(row);
    for (let token = 0; token < vocab; token++) {
      const p = probability(row, token) / sum;
      ours[context * vocab + token + 1] += ours[context] * p;
      target[context * vocab + token + 1] = target[context] * p;
    }
  }
  return { ours, target };
}

/** One sequence whose probability is wrong. */
export interface Difference {
  readonly tokens: readonly number[];
  readonly target: number;
  readonly rule: number;
}

/** The sequences of depth + 1 tokens that differ most, worst first. */
export function differences(of: Case, exact: Exact, greedy = false, most = 5): Difference[] {
  const depth = depthOf(of);
  const { ours, target } = joints(new Rows(of, greedy), depth, exact.verdicts);
  const start = contextCount(of.vocab, depth);
  return Array.from(ours.subarray(start), (_, i) => start + i)
    .sort((a, b) => Math.abs(ours[b] - target[b]) - Math.abs(ours[a] - target[a]))
    .slice(0, most)
    .filter((i) => ours[i] !== target[i])
    .map((i) => ({ tokens: contextTokens(i, of.vocab), target: target[i], rule: ours[i] }));
}
