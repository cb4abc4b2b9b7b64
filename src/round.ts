// The middle of a round: one pass of the target over root and draft, and the rule's verdict on it.
//
// On most engines a row's scores are the same to the last bit only where the rows before it form a chain, for then it
// stands in the same column as in plain decoding. So where the text is promised to be that of plain decoding, a pass
// begins with a chain as long as can be: what the pass before found likely but could not settle (`Ahead`), then the
// draft's eldest line. Only what these rows say is committed. Where the draft's other branches are found right, their
// tokens are the first of the next pass, which settles them and judges the next draft below them at the same time: no
// pass more, a few rows more, and a cache that only ever holds rows of chains.
import { beside } from "./beside.ts";
import type { Engine, Scores, Sequence } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Plan } from "./controller.ts";
import { type JudgeRequest, requestVerdict } from "./device-rule.ts";
import type { Drafter } from "./drafter.ts";
import { HunchError } from "./errors.ts";
import type { Verdict, VerificationRule } from "./rule.ts";
import { rawSampling, type Sampling } from "./sampling.ts";
import { sampledPass, type SampledScores } from "./scores.ts";
import { depths, type DraftTree, isChain, treeFault, verdictFault } from "./tree.ts";
import { likelihoods, type RoundView } from "./view.ts";

/** Tokens of a text, and where they come from: how deep each stood in its draft, 0 for the target's own. */
export interface Tokens {
  readonly tokens: Int32Array;
  readonly depths: Int32Array;
}

export const NO_TOKENS: Tokens = { tokens: new Int32Array(0), depths: new Int32Array(0) };

export interface Play {
  /** On the draft. Below a chain it is what this pass found likely; `certain` tells what of it stands. */
  readonly verdict: Verdict;
  /** What follows the text, at least one token. */
  readonly certain: Tokens;
  /** Rows of the pass that hold the root and all certain tokens but the last, for `Sequence.keep`. */
  readonly rowsOfCertain: Int32Array;
  /** What probably follows. To be given to the next round, or as much of its front as is wanted. */
  readonly ahead: Tokens;
  readonly rows: number;
  /** [size of the draft] How likely the target finds each node; only where somebody watches. */
  readonly target?: Float64Array;
}

interface Players {
  readonly engine: Engine;
  readonly drafter: Drafter;
  readonly rule: VerificationRule;
  readonly sampling: Sampling;
  readonly chance: Chance;
  readonly strict?: boolean;
  readonly onRound?: (view: RoundView) => void;
}

/**
 * `text`: the committed tokens; the last of them is the root, whose row is not in the cache. `ahead`: what the round
 * before left unsettled; the draft goes on below it. Commits nothing.
 */
export async function playDraft(
  draft: DraftTree,
  ahead: Tokens,
  plan: Plan,
  text: Int32Array,
  sequence: Sequence,
  players: Players,
): Promise<Play> {
  const { rule, chance } = players;
  // A relaxed rule's own form for temperature 0 looks at more than the likeliest token.
  const relaxed = players.sampling.temperature === 0 && draft.tokens.length > 0 && rule.verifyGreedily !== undefined;
  const sampling = relaxed ? rawSampling(players.sampling) : players.sampling;
  checkDraft(draft, plan, players);
  const settles = settlesByChains(players);
  const { tree, nodes } = settles ? chainFirst(ahead, draft) : { tree: draft, nodes: undefined };
  await rule.prepare?.(tree, text, sampling); // it may run passes of its own, which would end the scores of this one
  const greedy = settles && sampling.temperature === 0;
  const watched = players.onRound !== undefined;
  const asked = greedy || relaxed || watched
    ? undefined
    : requestVerdict(rule, tree, sampling, players.engine.can, chance);
  const scoring = pass(tree, text, sequence, sampling, asked?.request);
  const scores = await beside(scoring, draft, tree.tokens.length + 1, players);
  if (watched) await scores.load();
  asked?.spend(scores.judged?.used ?? 0);
  const goBack = settles && !greedy ? chance.save?.() : undefined;
  const { path, next } = greedy
    ? likeliest(tree, scores)
    : relaxed
    ? rule.verifyGreedily!(tree, scores)
    : scores.judged?.verdict ?? rule.verify(tree, scores, chance);
  const fault = verdictFault(tree, { path, next }, scores.vocab);
  if (fault !== undefined) throw broken(`the rule ${rule.name} gave a verdict that cannot be: ${fault}`);

  const found = Int32Array.of(...Array.from(path, (node) => tree.tokens[node]), next);
  const deep = depths(draft);
  const depthOf = (node: number) =>
    nodes === undefined ? deep[node] : nodes[node] < 0 ? ahead.depths[node] : deep[nodes[node]];
  const from = Int32Array.of(...Array.from(path, depthOf), 0);
  const count = settles ? settled(tree, path) : found.length;
  if (count < found.length && goBack !== undefined) {
    goBack(); // what is not certain must not have drawn from the chance
    rule.verify(upTo(tree, count - 1), scores, chance);
  }
  const seen = watched && likelihoods(tree, scores, sampling);
  const below = path.length < ahead.tokens.length ? [] : path.slice(ahead.tokens.length);
  return {
    verdict: { path: nodes === undefined ? path : Int32Array.from(below, (node) => nodes[node]), next },
    certain: { tokens: found.slice(0, count), depths: from.slice(0, count) },
    rowsOfCertain: Int32Array.from({ length: count }, (_, i) => i === 0 ? 0 : path[i - 1] + 1),
    ahead: { tokens: found.slice(count), depths: from.slice(count) },
    rows: tree.tokens.length + 1,
    target: seen ? Float64Array.from(deep, (_, node) => seen[nodes?.indexOf(node) ?? node]) : undefined,
  };
}

function pass(
  tree: DraftTree,
  text: Int32Array,
  sequence: Sequence,
  sampling: Sampling,
  judge: JudgeRequest | undefined,
): Promise<SampledScores> {
  const size = tree.tokens.length;
  const tokens = new Int32Array(size + 1);
  tokens[0] = text[text.length - 1];
  tokens.set(tree.tokens, 1);
  let parents: Int32Array | undefined;
  if (!isChain(tree)) {
    parents = new Int32Array(size + 1);
    parents[0] = -1;
    for (let node = 0; node < size; node++) parents[node + 1] = tree.parents[node] + 1;
  }
  return sampledPass(sequence, { tokens, parents }, sampling, text, tree, { judge });
}

/**
 * Whether scores beside branches may say other than plain decoding at a near-tie, and somebody was promised that the
 * text is the same: who decodes greedily, or has a seed and a rule for which the draft does not matter.
 */
function settlesByChains({ engine, rule, sampling, chance, strict = true }: Players): boolean {
  if (!strict || engine.can.exact === "trees" || !rule.lossless) return false;
  if (sampling.temperature === 0) return true;
  if (rule.independent && chance.save === undefined) {
    throw broken(`exact trees under the rule ${rule.name} need a chance that can be taken back`);
  }
  return rule.independent === true;
}

/**
 * `ahead` as a chain and the draft below it, its eldest line first. `nodes`: the draft's node of each node, −1 for
 * those of `ahead`. The order of siblings may change, which no independent rule minds.
 */
function chainFirst(ahead: Tokens, draft: DraftTree): { tree: DraftTree; nodes: Int32Array } {
  const front = ahead.tokens.length;
  const eldest: number[] = [];
  const others: number[] = [];
  let last = -1;
  for (let node = 0; node < draft.tokens.length; node++) {
    if (draft.parents[node] === last) eldest.push(last = node);
    else others.push(node);
  }
  const order = [...eldest, ...others];
  const place = new Int32Array(order.length);
  order.forEach((node, i) => place[node] = front + i);
  const tree: DraftTree = {
    tokens: Int32Array.of(...ahead.tokens, ...order.map((node) => draft.tokens[node])),
    parents: Int32Array.of(
      ...Array.from(ahead.tokens, (_, i) => i - 1),
      ...order.map((node) => draft.parents[node] < 0 ? front - 1 : place[draft.parents[node]]),
    ),
    law: draft.law,
    q: (node) => node < front - 1 ? undefined : draft.q(node < front ? -1 : order[node - front]),
  };
  return { tree, nodes: Int32Array.of(...new Int32Array(front).fill(-1), ...order) };
}

/** How many tokens of path and next are certain: those that follow rows of the chain that the pass begins with. */
function settled(tree: DraftTree, path: Int32Array): number {
  let row = 0;
  while (row < path.length && path[row] === row && tree.parents[row] === row - 1) row++;
  return row + 1;
}

/** The first `count` nodes, a chain. */
function upTo(tree: DraftTree, count: number): DraftTree {
  return { ...tree, tokens: tree.tokens.slice(0, count), parents: tree.parents.slice(0, count) };
}

/** What greedy decoding makes of a tree. */
function likeliest(tree: DraftTree, scores: Scores): Verdict {
  const path: number[] = [];
  let next = scores.argmax(0);
  for (let node = 0, above = -1; node < tree.tokens.length; node++) {
    if (tree.parents[node] !== above || tree.tokens[node] !== next) continue;
    path.push(above = node);
    next = scores.argmax(node + 1);
  }
  return { path: Int32Array.from(path), next };
}

function checkDraft(tree: DraftTree, plan: Plan, { engine, drafter, rule }: Players): void {
  if (tree.tokens.length === 0) return;
  const fault = treeFault(tree, { ...plan, vocab: engine.source.spec.vocab });
  if (fault !== undefined) throw broken(`the drafter ${drafter.name} gave a draft that cannot be: ${fault}`);
  if (!rule.laws.includes(tree.law)) {
    throw broken(
      `the drafter ${drafter.name} gave a draft of law ${tree.law}, which the rule ${rule.name} cannot judge`,
    );
  }
  if (!engine.can.tree && !isChain(tree)) {
    throw new HunchError(
      "unavailable",
      `${engine.name} cannot score the draft trees of ${drafter.name}`,
      {},
      "use a drafter or shape that draws chains, or another backend",
    );
  }
}

function broken(message: string): HunchError {
  return new HunchError("input", message, {}, "the plugin breaks its contract");
}
