// Drafters that keep what the target said after a few tokens: trigram and stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StandDrafter, StandProposer } from "../../../plugins/drafters/stand.ts";
import { TrigramDrafter } from "../../../plugins/drafters/trigram.ts";
import { match } from "../../../plugins/rules/match.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { token } from "../../../plugins/rules/token.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { gumbel } from "../../../plugins/shapes/gumbel.ts";
import { Sequoia } from "../../../plugins/shapes/sequoia.ts";
import type { Candidates, Scores } from "../../../src/backend.ts";
import { FEW_KINDS, proveDrafter } from "../../../src/check/drafters.ts";
import { everyBranch, everyBranchAsync } from "../../../src/check/every-branch.ts";
import type { Drafter } from "../../../src/drafter.ts";
import { dense, type Distribution, probability } from "../../../src/math/distribution.ts";
import type { VerificationRule } from "../../../src/rule.ts";
import { GREEDY } from "../../../src/sampling.ts";
import type { TreeShape } from "../../../src/shape.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../../src/tree.ts";
import { paths, roundOf } from "../../support/rounds.ts";
import { hashed } from "../../support/table-engine.ts";

const VOCAB = 4;
const WARM = { ...GREEDY, temperature: 1 };

/** What the target says after a path from the root: any numbers, always the same. */
function target(path: readonly number[]): Distribution {
  const weights = Array.from({ length: VOCAB }, (_, token) => hashed(7, ...path, token) ** 3);
  const all = weights.reduce((a, b) => a + b, 0);
  return dense(weights.map((weight) => weight / all));
}

function scoresOf(tree: DraftTree): Scores {
  const rows = [[], ...paths(tree)];
  return { rows: rows.length, vocab: VOCAB, distribution: (row: number) => target(rows[row]) } as unknown as Scores;
}

const candidates = (shares: Readonly<Record<number, number>>): Candidates => ({
  tokens: Int32Array.from(Object.keys(shares), Number),
  probabilities: Float32Array.from(Object.values(shares)),
});

/** A drafter that has seen what the target says after 1, after 1 2 and so on: other numbers than `target` gives. */
function taught(form: TreeShape): StandDrafter {
  const drafter = new StandDrafter(new StandProposer(VOCAB), form);
  drafter.begin(Int32Array.of(3, 1), WARM);
  const tree = chainTree([2, 0]);
  const rows = [candidates({ 2: 0.5, 0: 0.3, 1: 0.1 }), candidates({ 0: 0.6, 3: 0.2 }), candidates({ 1: 0.7, 2: 0.2 })];
  drafter.observe({ ...roundOf(tree, [0, 1], 1), candidates: rows });
  drafter.begin(Int32Array.of(3, 1), WARM);
  return drafter;
}

/** How likely the first two tokens of the text are, by every draw of the drafter and of the rule. */
async function said(drafter: StandDrafter, rule: VerificationRule): Promise<Map<string, number>> {
  const total = new Map<string, number>();
  const add = (text: string, probability: number) => total.set(text, (total.get(text) ?? 0) + probability);
  const trees = await everyBranchAsync(
    (chance) => drafter.draft({ nodes: 4, depth: 2 }, chance),
    (tree) => paths(tree).join(";"),
  );
  for (const { value: tree, probability: drawn } of trees) {
    for (
      const { value: verdict, probability: judged } of everyBranch((chance) =>
        rule.verify(tree, scoresOf(tree), chance)
      )
    ) {
      const text = [...Array.from(verdict.path, (node) => tree.tokens[node]), verdict.next];
      if (text.length > 1) add(text.slice(0, 2).join(), drawn * judged);
      else {for (let next = 0; next < VOCAB; next++) {
          add(`${text[0]},${next}`, drawn * judged * probability(target(text), next));
        }}
    }
  }
  return total;
}

test("stand is lossless by enumeration of all that it and the rule draw, whatever its tables hold", async () => {
  const pairs: [TreeShape, VerificationRule][] = [
    [gumbel([2, 1]), recursive],
    [new Sequoia(() => NaN, 3), recursive],
    [chain, token],
  ];
  for (const [form, rule] of pairs) {
    const total = await said(taught(form), rule);
    for (let first = 0; first < VOCAB; first++) {
      for (let second = 0; second < VOCAB; second++) {
        const want = probability(target([]), first) * probability(target([first]), second);
        assert.ok(Math.abs((total.get(`${first},${second}`) ?? 0) - want) < 1e-12, `${form.name}: ${first},${second}`);
      }
    }
  }
});

test("stand draws from the mean of what it saw after the longest context that it knows", async () => {
  const proposer = new StandProposer(9);
  const teach = (text: number[], shares: Readonly<Record<number, number>>) =>
    proposer.learn(text, { ...roundOf(EMPTY_TREE, [], 0), candidates: [candidates(shares)] });
  const none = { tokens: new Int32Array(0), parents: new Int32Array(0) };
  const after = async (...text: number[]) => {
    await proposer.sync(Int32Array.from(text), WARM);
    return (await proposer.propose(none))[0];
  };
  teach([1, 2, 3], { 4: 0.5, 5: 0.25 });
  teach([1, 2, 3], { 4: 0.5, 6: 0.25 });
  teach([7, 3], { 8: 1 });
  const q = await after(1, 2, 3);
  assert.ok(Math.abs(probability(q, 4) - 2 / 3) < 1e-6 && Math.abs(probability(q, 5) - 1 / 6) < 1e-6);
  assert.ok(Math.abs(probability(await after(7, 3), 8) - 1) < 1e-6);
  assert.ok(probability(await after(5, 5, 3), 8) > 0.3, "after 3 alone, all of it counts");
  assert.equal(await after(6, 6, 6), undefined);
  await proposer.sync(Int32Array.of(1, 2), { ...WARM, topK: 1 });
  await proposer.sync(Int32Array.of(1, 2, 3), { ...WARM, topK: 1 });
  assert.equal(probability((await proposer.propose(none))[0], 4), 1, "q follows the sampling");
  const [known, unknown] = await proposer.propose({ tokens: Int32Array.of(3, 8), parents: Int32Array.of(-1, -1) });
  assert.ok(known.tokens!.length > 0 && unknown.tokens!.length === 0);
});

test("trigram drafts what the target said after two tokens, the likeliest paths most", () => {
  const drafter = new TrigramDrafter(150);
  drafter.begin(Int32Array.of(1, 2, 3, 1, 2));
  assert.deepEqual(paths(drafter.draft({ nodes: 3, depth: 3 })), [[3], [3, 1], [3, 1, 2]]);
  const rows = [candidates({ 3: 0.2, 4: 0.7 }), candidates({ 6: 0.9 }), candidates({ 7: 1 })];
  drafter.observe({ ...roundOf(chainTree([4, 6]), [0], 5), candidates: rows });
  drafter.begin(Int32Array.of(1, 2));
  const tree = drafter.draft({ nodes: 8, depth: 4 });
  const drafted = paths(tree).map((path) => path.join());
  // Of 3 the mean is (1 + 1 + 0.2) / 3; the refused 6 leads on, for the target said what follows it.
  assert.equal(drafted[0], "3");
  assert.ok(drafted.includes("4") && drafted.includes("4,6") && drafted.includes("4,6,7"), drafted.join(" "));
  assert.deepEqual(paths(drafter.after(Int32Array.of(4), { nodes: 1, depth: 1 })), [[6]]);
});

test("trigram tries what is unlikely as well: with more searches than likely paths need, siblings come in", () => {
  const teach = (drafter: TrigramDrafter) => {
    drafter.begin(Int32Array.of(1, 2));
    drafter.observe({ ...roundOf(EMPTY_TREE, [], 9), candidates: [candidates({ 3: 0.9, 4: 0.06, 5: 0.04 })] });
    drafter.begin(Int32Array.of(1, 2));
    return paths(drafter.draft({ nodes: 9, depth: 2 })).length;
  };
  assert.equal(teach(new TrigramDrafter(1)), 1);
  assert.equal(teach(new TrigramDrafter(600)), 3);
});

test("check proves stand with every rule for its law, and finds a drafter that tells another q than it draws from", async () => {
  const rules = [match, token, recursive];
  const stand = (vocab: number) => new StandDrafter(new StandProposer(vocab), gumbel([2, 1]));
  const reports = await proveDrafter((target) => Promise.resolve(stand(target.source.spec.vocab)), rules, {
    kinds: FEW_KINDS,
  });
  assert.deepEqual(reports.map(({ rule }) => rule), ["match", "token", "recursive"]);
  for (const { rule, failure, accepted } of reports) {
    assert.equal(failure, undefined, rule);
    assert.ok(accepted > 0.5, `${rule}: ${accepted} accepted: it drafts what it learned`);
  }
  const liar = (vocab: number): Drafter => {
    const inner = stand(vocab);
    const even = dense(Array.from({ length: vocab }, () => 1 / vocab));
    return {
      name: "liar",
      laws: inner.laws,
      lawsAt: (sampling) => inner.lawsAt(sampling),
      candidates: inner.candidates,
      begin: (prompt, sampling) => inner.begin(prompt, sampling),
      draft: async (plan, chance) => ({ ...await inner.draft(plan, chance), q: () => even }),
      observe: (round) => inner.observe(round),
    };
  };
  const lies = await proveDrafter((target) => Promise.resolve(liar(target.source.spec.vocab)), rules, {
    kinds: FEW_KINDS,
  });
  assert.deepEqual(lies.map(({ failure }) => failure !== undefined), [false, true, true], "match does not look at q");
});

test("stand: a parent may stand in the same call as its child", async () => {
  const proposer = new StandProposer(9);
  const teach = (text: number[], token: number) =>
    proposer.learn(text, { ...roundOf(EMPTY_TREE, [], 0), candidates: [candidates({ [token]: 1 })] });
  teach([1, 2, 3], 4);
  teach([7, 2, 3], 5);
  await proposer.sync(Int32Array.of(1), WARM);
  const [, q] = await proposer.propose({ tokens: Int32Array.of(2, 3), parents: Int32Array.of(-1, 0) });
  assert.equal(probability(q, 4), 1);
});

test("trigram sees a chat's history once, not again at every turn", () => {
  const drafter = new TrigramDrafter(150);
  drafter.begin(Int32Array.of(1, 2, 3));
  drafter.observe({ ...roundOf(EMPTY_TREE, [], 0), committed: Int32Array.of(1, 2, 4) });
  const prompt = [1, 2, 3, 1, 2, 4, 1, 2];
  for (let turn = 0; turn < 10; turn++) drafter.begin(Int32Array.from(prompt));
  drafter.begin(Int32Array.from([...prompt, 5, 1, 2]));
  const { tokens, confidence } = drafter.draft({ nodes: 8, depth: 1 });
  assert.deepEqual(Object.fromEntries(Array.from(tokens, (token, i) => [token, confidence![i]])), { 3: 0.5, 5: 0.5 });
});
