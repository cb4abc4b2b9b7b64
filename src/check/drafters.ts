// The losslessness proof for a drafter: one whose second model has another vocabulary than the target, or one that draws
// from what it has learned of the target. The code that ships is given two tiny models and something to learn, its chance
// is followed through every branch, and rules judge every tree that comes of it. A drafter that says of a draft another q
// than it was drawn from is caught here and nowhere else.
import { SeededChance } from "../chance.ts";
import type { Plan, States } from "../controller.ts";
import type { Drafter } from "../drafter.ts";
import type { Engine, Sequence, Skip, Tap } from "../backend.ts";
import { HunchError } from "../errors.ts";
import { dense, type Distribution, probability, top } from "../math/distribution.ts";
import { pairFault } from "../plugins/pairing.ts";
import type { VerificationRule } from "../rule.ts";
import { GREEDY, type Sampling } from "../sampling.ts";
import { type DraftTree, EMPTY_TREE, treeFault } from "../tree.ts";
import { enumerateRule, type Exact, hiddenRandomness } from "./enumerate.ts";
import { everyBranchAsync, HiddenRandomness, type Outcome } from "./every-branch.ts";
import { KINDS, makeCase, Random } from "./generate-cases.ts";
import { EXACT } from "./prove.ts";
import { treeText } from "./shapes.ts";
import { type Written, WrittenEngine, writtenState } from "./written.ts";

/** Two vocabularies, and what the target has said so far. */
export interface Pair {
  readonly name: string;
  readonly target: Written;
  readonly draft: Written;
  readonly prompt: readonly number[];
}

const written = (...tokens: (string | readonly number[])[]): Written =>
  tokens.map((token) => typeof token === "string" ? new TextEncoder().encode(token) : Uint8Array.from(token));

/** Whatever can be different between two tokenizers, in few tokens. An empty token stands for no text. */
export const PAIRS: readonly Pair[] = [
  { name: "the same", target: written("a", "b", "c"), draft: written("a", "b", "c"), prompt: [0] },
  { name: "other order", target: written("a", "b", "ab", "c"), draft: written("c", "ab", "a", "b"), prompt: [2, 3] },
  { name: "the draft spells", target: written("a", "b", "ab", "aba"), draft: written("a", "b"), prompt: [2, 3, 1] },
  { name: "the target spells", target: written("a", "b"), draft: written("ab", "b", "a", "bba"), prompt: [0, 1] },
  { name: "overlapping", target: written("a", "b", "ab", "bb"), draft: written("b", "a", "ba", "aa"), prompt: [3, 2] },
  { name: "half a character", target: written("é", [0xc3], "a"), draft: written([0xa9], "a", [0xc3]), prompt: [0, 1] },
  { name: "words", target: written(" a", "b", " ab", "a"), draft: written("a", " ", "b", " b"), prompt: [3, 2, 0] },
  { name: "tokens without text", target: written("a", "", "b"), draft: written("", "a", "aa", "b"), prompt: [1, 0] },
];

const ALL_KINDS = [...Object.keys(KINDS), "mixed"];
/** Kinds of rows for a first look. */
export const FEW_KINDS = ["random", "ties", "denormals", "peaked q", "mixed"];
/** Lessons are of plain decoding. */
const NO_PLAN: Plan = { nodes: 0, depth: 0 };
const WARM: Sampling = { ...GREEDY, temperature: 1 };

/** What the cases say about a drafter under a rule. Means are over cases. */
export interface DrafterReport {
  readonly rule: string;
  readonly cases: number;
  readonly branches: number;
  /** Greatest total variation from the target's joint distribution. */
  readonly worst: number;
  /** Mean accepted tokens of a round. */
  readonly accepted: number;
  /** The first case that is not exact. */
  readonly failure?: { readonly pair: string; readonly kind: string; readonly exact: Exact };
}

/**
 * Runs a drafter, made anew for each case, under each of `rules` that judges its law. Pairs of vocabularies that `make`
 * refuses are left out. `begin` is told before each case, with the fraction that is done; `seed` repeats the cases.
 */
export async function proveDrafter(
  make: (target: Engine, draft: Engine) => Promise<Drafter>,
  rules: readonly VerificationRule[],
  { plan = { nodes: 2, depth: 2 }, rounds = 1, kinds = ALL_KINDS, sampling = WARM, seed = "hunch check", begin }: {
    readonly plan?: Plan;
    readonly rounds?: number;
    readonly kinds?: readonly string[];
    /** The draft model's, of a temperature above 0; the target's rows are what they are. */
    readonly sampling?: Sampling;
    readonly seed?: number | string;
    readonly begin?: (pair: string, kind: string, fraction: number) => void;
  } = {},
): Promise<DrafterReport[]> {
  const random = new Random(new SeededChance(seed));
  const reports = new Map<string, Mutable<DrafterReport>>();
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const pair of PAIRS) {
      for (const kind of kinds) {
        begin?.(pair.name, kind, done++ / (rounds * PAIRS.length * kinds.length));
        const levels = Array.from({ length: plan.depth }, (_, i) => i - 1); // a case as deep as the plan
        const of = makeCase(kind, "point", pair.target.length, levels, random);
        const named = `${seed} ${pair.name} ${round}`;
        const target = lookedInto(pair, (skip) => draftRows(kind, pair.target.length, `${named} target${skip}`));
        const drafter = await madeFor(make, pair, target, draftRows(kind, pair.draft.length, named));
        if (drafter === undefined) continue;
        await teach(drafter, pair, target, sampling);
        const trees = await everyDraft(drafter, pair, target, sampling, plan);
        for (const rule of rules) {
          if (pairFault(drafter, rule, sampling) !== undefined) continue;
          const report = reports.get(rule.name) ?? { rule: rule.name, cases: 0, branches: 0, worst: 0, accepted: 0 };
          reports.set(rule.name, report);
          if (report.failure !== undefined) continue;
          const exact = trees instanceof HiddenRandomness
            ? hiddenRandomness(trees)
            : enumerateRule(of, rule, () => trees);
          report.cases++;
          report.branches += exact.branches;
          report.worst = Math.max(report.worst, exact.totalVariation);
          report.accepted += exact.accepted;
          const holds = exact.broken === undefined && exact.totalVariation <= EXACT;
          if (!holds) report.failure = { pair: pair.name, kind, exact };
        }
      }
    }
  }
  return Array.from(reports.values(), (report) => ({ ...report, accepted: report.accepted / report.cases }));
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * What a draft model finds likely after each text: rows of the kind's q, the same for the same text. A model finds nothing
 * impossible: zeros are the least of numbers.
 */
function draftRows(kind: string, vocab: number, seed: string): (text: readonly number[]) => Distribution {
  const kinds = Object.keys(KINDS);
  const known = new Map<string, Distribution>();
  return (text) => {
    const key = text.join();
    let row = known.get(key);
    if (row === undefined) {
      const random = new Random(new SeededChance(`${seed} ${key}`));
      const [, q] = KINDS[kind === "mixed" ? kinds[random.integer(kinds.length)] : kind](vocab, random);
      known.set(key, row = dense(q.map((value) => value || Number.MIN_VALUE)));
    }
    return row;
  };
}

/** Layers of the target, for drafters that look inside. */
const LAYERS = 4;

/**
 * The target, for drafters that draft with it: with other blocks left out it finds other tokens likely. `rows`: what it
 * finds likely after a text without the blocks that are named. What a rule is given has nothing to do with it.
 */
function lookedInto(
  pair: Pair,
  rows: (skip: string) => (text: readonly number[]) => Distribution,
): WrittenEngine {
  const known = new Map<string, (text: readonly number[]) => Distribution>();
  const after = (text: readonly number[], skip?: Skip) => {
    const key = skip === undefined ? "" : ` without ${skip.attention} and ${skip.feedForward}`;
    const found = known.get(key) ?? rows(key);
    known.set(key, found);
    return found(text);
  };
  return new WrittenEngine(pair.target, after, { layers: LAYERS });
}

/** Undefined where the drafter refuses such a pair of models. */
async function madeFor(
  make: (target: Engine, draft: Engine) => Promise<Drafter>,
  pair: Pair,
  target: Engine,
  rows: (text: readonly number[]) => Distribution,
): Promise<Drafter | undefined> {
  try {
    return await make(target, new WrittenEngine(pair.draft, rows));
  } catch (error) {
    if (error instanceof HunchError && error.kind === "input") return undefined;
    throw error;
  }
}

/** Rounds that a drafter learns from before it drafts, for each token of the vocabulary. */
const LESSONS = 4;

/**
 * A drafter that learns from what the target finds likely is told of a text first, one that goes on after the prompt:
 * after the same two tokens always the same, rows of the kind's q. What a rule makes of its drafts must not depend on it.
 */
async function teach(
  drafter: Drafter,
  { prompt, target }: Pair,
  { after }: WrittenEngine,
  sampling: Sampling,
): Promise<void> {
  const { candidates = 1, taps = [] } = drafter;
  if (drafter.candidates === undefined && taps.length === 0) return;
  await drafter.begin(Int32Array.from(prompt), sampling);
  const text = [...prompt];
  for (let round = 0; round < LESSONS * target.length; round++) {
    const q = after(text.slice(-2));
    const tokens = Int32Array.from(top(q, candidates));
    const next = prompt[round] ?? tokens[round % tokens.length];
    text.push(next);
    await drafter.observe({
      plan: NO_PLAN,
      tree: EMPTY_TREE,
      verdict: { path: new Int32Array(0), next },
      committed: Int32Array.of(next),
      candidates: [{ tokens, probabilities: Float32Array.from(tokens, (token) => probability(q, token)) }],
      states: statesOf(taps, text.slice(-1), target.length),
      rows: 1,
      draftMs: 0,
      verifyMs: 0,
    });
  }
}

/** Every draft after the pair's prompt with its probability. Throws HunchError where one breaks the contract. */
async function everyDraft(
  drafter: Drafter,
  { prompt, target }: Pair,
  engine: Engine,
  sampling: Sampling,
  plan: Plan,
): Promise<Outcome<DraftTree>[] | HiddenRandomness> {
  try {
    return await everyBranchAsync(async (chance) => {
      await drafter.begin(Int32Array.from(prompt), sampling);
      const sequence = await committed(engine, prompt.slice(0, -1));
      drafter.attach?.(sequence);
      if (drafter.taps !== undefined) {
        await drafter.observePrompt?.(0, [], statesOf(drafter.taps, prompt.slice(0, -1), target.length));
      }
      const tree = await drafter.draft(plan, chance);
      const left = sequence.length === prompt.length - 1;
      const fault = left ? treeFault(tree, { vocab: target.length, ...plan }) : "it is still in the target's sequence";
      if (fault !== undefined) {
        throw new HunchError("input", `the drafter ${drafter.name} gave a draft that cannot be: ${fault}`);
      }
      return tree;
    }, treeText);
  } catch (error) {
    if (error instanceof HiddenRandomness) return error;
    throw error;
  }
}

/** [text.length · width] of each tap. */
function statesOf(taps: readonly Tap[], text: readonly number[], width: number): States {
  const rows = text.map((_, row) => text.slice(0, row + 1));
  return new Map(taps.map((tap) => [tap, Float32Array.from(rows.flatMap((row) => writtenState(tap, row, width)))]));
}

/** A sequence that holds these tokens. */
async function committed(engine: Engine, tokens: readonly number[]): Promise<Sequence> {
  const sequence = engine.open();
  if (tokens.length > 0) {
    await sequence.forward({ tokens: Int32Array.from(tokens) });
    sequence.keep(Int32Array.from(tokens, (_, row) => row));
  }
  return sequence;
}
