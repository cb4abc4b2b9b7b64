// Draft models with more or fewer tokens than the target: what they draft is of the target's vocabulary, and the text is
// that of plain decoding.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { match } from "../../plugins/rules/match.ts";
import { token } from "../../plugins/rules/token.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import { complete } from "../../src/round/generate.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { inVocabularyOf, Numbers, RenumberedEngine } from "../../src/draft/shared-vocabulary.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

const target = new TableEngine({ vocab: 20, seed: 4, order: 1 });
const DRAFTS = [26, 14].map((vocab) => new TableEngine({ vocab, seed: 4, order: 1 })); // the same scores, as far as they go
const NEEDS = ["argmax", "candidates", "probabilities", "logits", undefined] as const;

test("a draft model of the target's size is left as it is", () => {
  const same = new TableEngine({ vocab: 20 });
  assert.equal(inVocabularyOf(target, same), same);
});

test("its scores are the soft-max over the tokens that both have, whatever was asked for", async () => {
  let beyond = 0;
  for (const draft of DRAFTS) {
    const shared = Math.min(draft.vocab, target.vocab);
    const engine = inVocabularyOf(target, draft);
    assert.equal(engine.source.spec.vocab, 20);
    for (let text = 0; text < shared; text++) {
      const logits = draft.logits([text]);
      const order = Array.from({ length: shared }, (_, t) => t).sort((a, b) => logits[b] - logits[a] || a - b);
      const weights = Array.from(logits.slice(0, shared), (logit) => Math.exp(logit / 0.7));
      const sum = weights.reduce((a, b) => a + b, 0);
      if (draft.likeliest([text]) >= 20) beyond++;
      for (const need of NEEDS) {
        const scores = await engine.open().forward({ tokens: Int32Array.of(text), temperature: 0.7, need });
        assert.equal(scores.vocab, 20);
        assert.equal(scores.argmax(0), order[0]);
        if (need === "argmax") continue;
        const candidates = scores.top(0, 14).tokens;
        assert.deepEqual([...candidates], order.slice(0, candidates.length));
        if (need === "candidates") continue;
        const { vocab, probabilities } = scores.distribution(0);
        assert.equal(vocab, 20);
        probabilities.forEach((p, t) => assert.ok(Math.abs(p - (t < shared ? weights[t] / sum : 0)) < 1e-12));
        if (need === "probabilities") continue;
        assert.equal(scores.logits(0).length, 20);
        assert.equal(scores.logits(0)[19], draft.vocab > 19 ? logits[19] : -Infinity);
      }
    }
  }
  assert.ok(beyond > 0); // the likeliest was a token that the target does not have
});

test("tokens with other numbers, and tokens that only one has, are read and said by the target's numbers", async () => {
  const draft = new TableEngine({ vocab: 9, seed: 7, order: 2 });
  const shared = Int32Array.of(4, -1, 0, 5, -1, 2, 7, -1, 1); // the target's 3 and 6 are not among the draft's
  const numbers = new Numbers(8, shared);
  assert.deepEqual([...numbers.unshared], [1, 4, 7]);
  assert.deepEqual([...numbers.of], [4, 8, 0, 5, 9, 2, 7, 10, 1]);
  let beyond = 0;
  for (let text = 0; text < 81; text++) {
    const own = [Math.floor(text / 9), text % 9];
    const logits = draft.logits(own);
    const weights = Array.from({ length: 8 }, (_, number) => {
      const token = shared.indexOf(number);
      return token < 0 ? 0 : Math.exp(logits[token] / 1.3);
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    const order = weights.map((_, number) => number).filter((number) => weights[number] > 0)
      .sort((a, b) => weights[b] - weights[a]);
    if (shared[draft.likeliest(own)] < 0) beyond++;
    for (const need of NEEDS) {
      const sequence = new RenumberedEngine(draft, numbers).open();
      const scores = await sequence.forward({
        tokens: Int32Array.from(own, (t) => numbers.of[t]),
        temperature: 1.3,
        need,
      });
      assert.equal(scores.argmax(1), order[0]);
      if (need === "argmax") continue;
      const { tokens } = scores.top(1, 9);
      assert.deepEqual([...tokens], order);
      assert.deepEqual([...scores.top(1, 3).tokens], order.slice(0, scores.top(1, 3).tokens.length));
      if (need === "candidates") continue;
      scores.distribution(1).probabilities.forEach((p, t) => assert.ok(Math.abs(p - weights[t] / sum) < 1e-12));
      assert.equal(scores.probability(1, 3), 0);
      if (need === "probabilities") continue;
      assert.deepEqual([scores.logits(1)[4], scores.logits(1)[3]], [logits[0], -Infinity]);
    }
  }
  assert.ok(beyond > 10);
});

test("the text is that of plain decoding, greedy and drawn, and drafts are kept", async () => {
  const controller = fixed(4);
  for (const draft of DRAFTS) {
    const drafter = new ProposedDrafter("model", new ModelProposer(inVocabularyOf(target, draft)), chain);
    let accepted = 0;
    for (const given of [{}, { rule: match, sampling: { temperature: 0.9, topP: 0.9 } }]) {
      const common = { engine: target, controller, maxTokens: 60, ...given };
      const plain = await complete(optionsOf(common));
      const drafted = await complete(optionsOf({ ...common, drafter }));
      assert.deepEqual(drafted.tokens, plain.tokens);
      accepted += drafted.stats.accepted;
    }
    assert.ok(accepted > 3, `${accepted} accepted`);
    await complete(optionsOf({ engine: target, controller, drafter, rule: token, sampling: { temperature: 1.3 } }));
  }
});
