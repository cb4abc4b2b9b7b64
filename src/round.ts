// The middle of a round: one pass of the target over root and draft, and the rule's verdict on it.
import type { Engine, Scores, Sequence } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Plan } from "./controller.ts";
import type { Drafter } from "./drafter.ts";
import { HunchError } from "./errors.ts";
import type { Verdict, VerificationRule } from "./rule.ts";
import type { Sampling } from "./sampling.ts";
import { passNeeds, SampledScores } from "./scores.ts";
import { chainTree, type DraftTree, isChain, treeFault, verdictFault } from "./tree.ts";

export interface Play {
  readonly verdict: Verdict;
  /** Rows of the last pass that hold the root and the accepted path, for `Sequence.keep`. */
  readonly rowsOfPath: Int32Array;
  readonly passes: number;
  /** Over all passes. */
  readonly rows: number;
}

interface Players {
  readonly engine: Engine;
  readonly drafter: Drafter;
  readonly rule: VerificationRule;
  readonly sampling: Sampling;
  readonly chance: Chance;
  readonly strict?: boolean;
}

/** `text`: the committed tokens; the last of them is the root, whose row is not in the cache. Commits nothing. */
export async function playDraft(
  tree: DraftTree,
  plan: Plan,
  text: Int32Array,
  sequence: Sequence,
  players: Players,
): Promise<Play> {
  const { rule, sampling, chance } = players;
  const chain = isChain(tree);
  checkDraft(tree, chain, plan, players);
  const again = !chain && mustDecideAgain(players);
  const goBack = again && sampling.temperature > 0 ? chance.save?.() : undefined;
  const scores = await pass(tree, chain, text, sequence, sampling);
  const verdict = rule.verify(tree, scores, chance);
  const fault = verdictFault(tree, verdict, scores.vocab);
  if (fault !== undefined) throw broken(`the rule ${rule.name} gave a verdict that cannot be: ${fault}`);
  const size = tree.tokens.length + 1;
  if (!again) {
    const rowsOfPath = new Int32Array(verdict.path.length + 1);
    for (let i = 0; i < verdict.path.length; i++) rowsOfPath[i + 1] = verdict.path[i] + 1;
    return { verdict, rowsOfPath, passes: 1, rows: size };
  }

  // Nothing of the inexact pass is kept. The path it points at is run once more, as a chain after a cache that only
  // chains have written, so these scores are those of plain decoding to the last bit; and from them, with the chance as
  // it was, it is decided as plain decoding decides. A wrong path costs time, never a word.
  goBack?.();
  const path = chainTree(verdict.path.map((node) => tree.tokens[node]));
  const exact = await pass(path, true, text, sequence, sampling);
  const { path: kept, next } = sampling.temperature === 0 ? likeliest(path, exact) : rule.verify(path, exact, chance);
  return {
    verdict: { path: verdict.path.slice(0, kept.length), next },
    rowsOfPath: Int32Array.from({ length: kept.length + 1 }, (_, row) => row),
    passes: 2,
    rows: size + path.tokens.length + 1,
  };
}

async function pass(
  tree: DraftTree,
  chain: boolean,
  text: Int32Array,
  sequence: Sequence,
  sampling: Sampling,
): Promise<Scores> {
  const size = tree.tokens.length;
  const tokens = new Int32Array(size + 1);
  tokens[0] = text[text.length - 1];
  tokens.set(tree.tokens, 1);
  let parents: Int32Array | undefined;
  if (!chain) {
    parents = new Int32Array(size + 1);
    parents[0] = -1;
    for (let node = 0; node < size; node++) parents[node + 1] = tree.parents[node] + 1;
  }
  const scores = await sequence.forward({ tokens, parents, ...passNeeds(sampling) });
  return new SampledScores(scores, sampling, text, tree);
}

/**
 * Whether a verdict from a pass over a tree may differ from plain decoding's at a near-tie, and somebody was promised
 * that it does not: who decodes greedily, or has a seed and a rule for which the draft does not matter.
 */
function mustDecideAgain({ engine, rule, sampling, chance, strict = true }: Players): boolean {
  if (!strict || engine.can.exact === "trees" || !rule.lossless) return false;
  if (sampling.temperature === 0) return true;
  if (rule.independent && chance.save === undefined) {
    throw broken(`exact trees under the rule ${rule.name} need a chance that can be taken back`);
  }
  return rule.independent === true;
}

/** What greedy decoding makes of a chain. */
function likeliest(chain: DraftTree, scores: Scores): Verdict {
  let row = 0;
  while (row < chain.tokens.length && scores.argmax(row) === chain.tokens[row]) row++;
  return { path: Int32Array.from({ length: row }, (_, node) => node), next: scores.argmax(row) };
}

function checkDraft(tree: DraftTree, chain: boolean, plan: Plan, { engine, drafter, rule }: Players): void {
  if (tree.tokens.length === 0) return;
  const fault = treeFault(tree, { vocab: engine.source.spec.vocab, ...plan });
  if (fault !== undefined) throw broken(`the drafter ${drafter.name} gave a draft that cannot be: ${fault}`);
  if (!rule.laws.includes(tree.law)) {
    throw broken(
      `the drafter ${drafter.name} gave a draft of law ${tree.law}, which the rule ${rule.name} cannot judge`,
    );
  }
  if (!chain && !engine.can.tree) {
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
