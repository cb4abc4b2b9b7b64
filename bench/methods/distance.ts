// How far a relaxed rule's text is from the target's: the exact distribution of the token that it says, at places of a
// text, over every draft of one token and every branch of the rule's own chance; and of a text, which tokens are not the
// target's.
import { targetInit } from "../../plugins/rules/target-init.ts";
import type { TargetTree } from "../../plugins/shapes/target-init.ts";
import { OnePlace } from "../../src/check/acceptance.ts";
import type { Chance } from "../../src/chance.ts";
import { everyBranch } from "../../src/check/every-branch.ts";
import {
  dense,
  type Distribution,
  divergence,
  entries,
  normalise,
  totalVariation,
  without,
} from "../../src/math/distribution.ts";
import type { Completion } from "../../src/round/generate.ts";
import type { Proposer } from "../../src/drafter.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import type { Bed } from "./bed.ts";
import { Reader } from "./reader.ts";
import { chainTree, EMPTY_TREE } from "../../src/tree.ts";

/** Of the token said at one place: total variation 0…1 and KL(rule ‖ target) in nats. */
export interface Distance {
  readonly totalVariation: number;
  readonly divergence: number;
}

/** A place of the target's own text every so many tokens. */
const STEP = 12;
/** A rule that draws from a whole vocabulary has more branches than can be followed. */
const MOST_BRANCHES = 5000;

/**
 * At places of the target's own texts, of up to `tokens` tokens, drawn from `sampling`; none where the rule has too many
 * branches.
 */
export async function distances(
  bed: Bed,
  rule: VerificationRule,
  sampling: Sampling,
  tokens: number,
): Promise<Distance[]> {
  const reader = new Reader(bed.engine, sampling);
  const proposer = await bed.proposer();
  const plain = await bed.methods({ drafter: "none", rule: "match", controller: "fixed?nodes=0" });
  const out: Distance[] = [];
  for (const [seed, prompt] of bed.prompts.entries()) {
    const said = (await bed.run(plain, prompt, sampling, tokens, seed))!.tokens;
    for (let length = 0; length < said.length; length += STEP) {
      const text = Int32Array.of(...prompt, ...said.subarray(0, length));
      const distance = await distanceAt(rule, text, proposer, reader, sampling);
      if (distance === undefined) return [];
      out.push(distance);
    }
  }
  return out;
}

/** How many of the tokens of completions of the bed's prompts are foreign. */
export async function foreignShare(bed: Bed, runs: readonly Completion[], sampling: Sampling): Promise<number> {
  const reader = new Reader(bed.engine, sampling);
  let [foreign, all] = [0, 0];
  for (const [i, { tokens }] of runs.entries()) {
    const prompt = bed.prompts[i];
    foreign += await reader.foreign(Int32Array.of(...prompt, ...tokens), prompt.length);
    all += tokens.length;
  }
  return foreign / all;
}

/** ln p of the tokens of completions by the target's soft-max, a token in the mean. */
export async function meanLikelihood(bed: Bed, runs: readonly Completion[]): Promise<number> {
  const reader = new Reader(bed.engine, { ...GREEDY, temperature: 1 });
  let [sum, all] = [0, 0];
  for (const [i, { tokens }] of runs.entries()) {
    const prompt = bed.prompts[i];
    sum += await reader.likelihood(Int32Array.of(...prompt, ...tokens), prompt.length);
    all += tokens.length;
  }
  return sum / all;
}

/** At the end of `text`, with drafts from `proposer`. */
async function distanceAt(
  rule: VerificationRule,
  text: Int32Array,
  proposer: Proposer,
  reader: Reader,
  sampling: Sampling,
): Promise<Distance | undefined> {
  const p = normalise((await reader.scores(text, EMPTY_TREE)).distribution(0));
  const values = rule === targetInit
    ? await saidByPair(p, text, proposer, reader, sampling)
    : await saidBy(rule, text, proposer, reader, sampling);
  if (values === undefined) return undefined;
  const out = dense(values);
  return { totalVariation: totalVariation(out, p), divergence: divergence(out, p) };
}

async function saidBy(
  rule: VerificationRule,
  text: Int32Array,
  proposer: Proposer,
  reader: Reader,
  sampling: Sampling,
): Promise<Float64Array | undefined> {
  const out = new Float64Array(proposer.vocab);
  const q = await qOf(text, proposer, sampling);
  for (const [token, drafted] of entries(q)) {
    const tree = chainTree([token], "iid", [q]);
    await rule.prepare?.(tree, text, sampling);
    const scores = await reader.scores(text, tree, rule.taps);
    let branches = 0;
    for (const { value, probability } of everyBranch((chance) => rule.verify(tree, scores, chance))) {
      if (++branches > MOST_BRANCHES) return undefined;
      out[value.path.length > 0 ? token : value.next] += drafted * probability;
    }
  }
  return out;
}

/** The pair target-init, with two tokens of the target's own and one of the draft's below each. */
async function saidByPair(
  p: Distribution,
  text: Int32Array,
  proposer: Proposer,
  reader: Reader,
  sampling: Sampling,
): Promise<Float64Array> {
  const out = new Float64Array(proposer.vocab);
  const after = new Map<number, { p: Distribution; q: Distribution }>();
  for (const [token] of entries(p)) {
    const longer = Int32Array.of(...text, token);
    after.set(token, {
      p: normalise((await reader.scores(longer, EMPTY_TREE)).distribution(0)),
      q: await qOf(longer, proposer, sampling),
    });
  }
  const play = (chance: Chance): number => {
    const own = [chance.pick(p)];
    const rest = without(p, own);
    if (rest !== undefined) own.push(chance.pick(rest));
    const below = own.map((token) => after.get(token)!);
    const tree: TargetTree = {
      tokens: Int32Array.of(...own, ...below.map(({ q }) => chance.pick(q))),
      parents: Int32Array.of(...own.map(() => -1), ...own.map((_, i) => i)),
      law: "distinct",
      q: (node) => below[node]?.q,
      draws: { wanted: 1, given: own.length, next: [] },
    };
    return tree.tokens[targetInit.verify(tree, new Places([p, ...below.map((place) => place.p)]), chance).path[0]];
  };
  for (const { value, probability } of everyBranch(play)) out[value] += probability;
  return out;
}

/** Rows of distributions; what follows the last of them is no matter. */
class Places extends OnePlace {
  constructor(private readonly places: readonly Distribution[]) {
    super(places[0], 2 * places.length - 1);
  }

  override distribution(row = 0): Distribution {
    return this.places[row] ?? this.places[0];
  }
}

async function qOf(text: Int32Array, proposer: Proposer, sampling: Sampling): Promise<Distribution> {
  await proposer.sync(text, sampling);
  const [q] = await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
  return normalise(q);
}
