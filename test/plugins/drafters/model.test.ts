// A model that drafts: its cache is right to the row, it samples as the target does, and nothing it says is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { match } from "../../../plugins/rules/match.ts";
import { token } from "../../../plugins/rules/token.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import { probability } from "../../../src/math/distribution.ts";
import { complete } from "../../../src/round/generate.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { referenceBackend } from "../../../kernels/reference/backend.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import type { Engine } from "../../../src/backend.ts";
import { SeededChance } from "../../../src/chance.ts";
import type { Plan } from "../../../src/controller.ts";
import { openModel } from "../../../src/model/open.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { saying } from "../../support/rounds.ts";
import { hashed, TableEngine } from "../../support/table-engine.ts";
import { optionsOf } from "../../support/options.ts";

const drafterOf = (engine: TableEngine) => new ProposedDrafter("model", new ModelProposer(engine), chain);
const SAMPLED = { temperature: 0.8, topK: 12, topP: 0.9, repetitionPenalty: 1.3, repetitionWindow: 5 };

test("a draft model that is the target is always right, greedy and sampled", async () => {
  for (const [rule, sampling] of [[undefined, {}], [token, SAMPLED], [token, { temperature: 1 }]] as const) {
    const engine = new TableEngine({ seed: 4 });
    const drafter = drafterOf(new TableEngine({ seed: 4 }));
    const { stats, tokens } = await complete(
      optionsOf({ engine, drafter, sampling, ...(rule && { rule }), controller: fixed(4), maxTokens: 50 }),
    );
    assert.equal(tokens.length, 50);
    assert.equal(stats.accepted, stats.drafted, "everything is accepted");
    assert.equal(stats.passes, 10);
  }
});

test("the draft model runs every row once: the prompt, what it drafted but the last, and what it lacks", async () => {
  const engine = new TableEngine({ seed: 4 });
  const draft = new TableEngine({ seed: 4 });
  const { stats } = await complete(
    optionsOf({ engine, drafter: drafterOf(draft), controller: fixed(4), maxTokens: 50 }),
  );
  // 3 prompt tokens and 3 drafted ones in the first round; then the draft's last token, the root, and 3 drafted ones.
  assert.equal(stats.rounds, 10);
  assert.equal(draft.rows, 3 + 3 + 9 * (2 + 3));
  assert.equal(draft.passes, 10 * 4);
});

test("after every round the draft's cache holds the text, whatever was accepted", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const engine = new TableEngine({ seed, order: 1 });
      // Half of the time it says what the target says, so all numbers of accepted tokens occur.
      const draft = new TableEngine({
        seed,
        order: 1,
        onPass(rows, sequence) {
          const held = (sequence as unknown as { tokens: number[] }).tokens;
          assert.ok(held.length + rows.tokens.length <= text.length + 8);
          const shared = Math.min(held.length, text.length);
          assert.deepEqual(held.slice(0, shared), text.slice(0, shared));
        },
      });
      const like = draft.logits.bind(draft);
      draft.logits = (context) =>
        hashed(seed, ...context.slice(-3)) < 0.6 ? like(context) : like([context.length % 20]);
      const text = [1, 2, 3];
      const inner = drafterOf(draft);
      const drafter = {
        name: "watched",
        get laws() {
          return inner.laws;
        },
        begin: inner.begin.bind(inner),
        draft: inner.draft.bind(inner),
        observe(round: Parameters<typeof inner.observe>[0]) {
          text.push(...round.committed);
          return inner.observe(round);
        },
      };
      const plain = await complete(optionsOf({ engine }));
      const drafted = await complete(optionsOf({ engine, drafter }));
      assert.deepEqual(drafted.tokens, plain.tokens);
      assert.ok(drafted.stats.accepted > 0);
    }),
    { numRuns: 30 },
  );
});

test("with the rule match any draft model says what plain sampling says for the seed", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const engine = new TableEngine({ seed });
    const common = { engine, rule: match, sampling: SAMPLED, seed };
    const plain = await complete(optionsOf(common));
    const drafted = await complete(optionsOf({ ...common, drafter: drafterOf(new TableEngine({ seed: seed % 3 })) }));
    assert.deepEqual(drafted.tokens, plain.tokens);
  }
});

test("sampled drafts follow the law iid and carry the distribution that they were drawn from", async () => {
  const draft = new TableEngine({ seed: 4 });
  const drafter = drafterOf(draft);
  assert.deepEqual(drafter.laws, ["point", "iid"]);
  drafter.begin(Int32Array.of(1, 2), { ...GREEDY, temperature: 0.7 });
  assert.deepEqual(drafter.laws, ["iid"]);
  const tree = await drafter.draft({ nodes: 3, depth: 3 }, {
    flip: () => true,
    pick: (d) => d.probabilities.length - 1,
  });
  assert.equal(tree.law, "iid");
  const logits = draft.logits([1, 2]).map((logit) => Math.exp(logit / 0.7));
  const sum = logits.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(probability(tree.q(-1)!, 3) - logits[3] / sum) < 1e-9);
  drafter.begin(Int32Array.of(1, 2), GREEDY);
  assert.deepEqual(drafter.laws, ["point"]);
});

test("the rule token with a sampled draft model keeps the target's distribution", async () => {
  const vocab = 6;
  const engine = new TableEngine({ seed: 11, vocab, order: 1 });
  const draft = new TableEngine({ seed: 12, vocab, order: 1 });
  const sampling = { ...GREEDY, temperature: 1, topK: 4 };
  const seen = new Map<number, Float64Array>();
  let before = 3;
  for (let seed = 0; seed < 40; seed++) {
    const drafter = drafterOf(draft);
    const { tokens } = await complete(
      optionsOf({ engine, drafter, rule: token, sampling, seed, maxTokens: 200, controller: fixed(3) }),
    );
    before = 3;
    for (const next of tokens) {
      const counts = seen.get(before) ?? new Float64Array(vocab);
      counts[next]++;
      seen.set(before, counts);
      before = next;
    }
  }
  let chi = 0;
  let freedom = 0;
  for (const [last, counts] of seen) {
    const total = counts.reduce((a, b) => a + b, 0);
    if (total < 200) continue;
    const ranked = Array.from(engine.logits([last]), (logit, id) => ({ id, p: Math.exp(logit) }))
      .sort((a, b) => b.p - a.p);
    const kept = ranked.slice(0, 4);
    const sum = kept.reduce((a, { p }) => a + p, 0);
    for (const { id } of ranked.slice(4)) assert.equal(counts[id], 0);
    for (const { id, p } of kept) chi += (counts[id] - total * p / sum) ** 2 / (total * p / sum);
    freedom += 3;
  }
  assert.ok(freedom >= 6);
  assert.ok(chi < freedom + 4 * Math.sqrt(2 * freedom), `chi-square ${chi} with ${freedom} degrees of freedom`);
});

test("branches are scored along their own path, and the cache survives them", async () => {
  const draft = new TableEngine({ seed: 3, order: 3, can: { tree: true } });
  const proposer = new ModelProposer(draft);
  const text = [1, 2, 3, 4];
  const sampling = { ...GREEDY, temperature: 1 };
  const likelihood = (context: number[], id: number) => {
    const weights = draft.logits(context).map(Math.exp);
    return weights[id] / weights.reduce((a, b) => a + b, 0);
  };
  const nodes = (tokens: number[], parents: number[]) => ({
    tokens: Int32Array.from(tokens),
    parents: Int32Array.from(parents),
  });
  for (const more of [[], [5, 9]]) {
    text.push(...more);
    await proposer.sync(Int32Array.from(text), sampling);
    const [root] = await proposer.propose(nodes([], []));
    assert.ok(Math.abs(probability(root, 7) - likelihood(text, 7)) < 1e-9);
    const [a] = await proposer.propose(nodes([5], [-1]));
    assert.ok(Math.abs(probability(a, 7) - likelihood([...text, 5], 7)) < 1e-9);
    const [b, c] = await proposer.propose(nodes([6, 7], [-1, 0]));
    assert.ok(Math.abs(probability(b, 7) - likelihood([...text, 6], 7)) < 1e-9);
    assert.ok(Math.abs(probability(c, 7) - likelihood([...text, 5, 7], 7)) < 1e-9);
    const [d] = await proposer.propose(nodes([8], [1]));
    assert.ok(Math.abs(probability(d, 7) - likelihood([...text, 6, 8], 7)) < 1e-9);
  }
});

test("where the draft model's context ends, nothing more is drafted and the text goes on", async () => {
  const engine = new TableEngine({ seed: 4 });
  const drafter = drafterOf(new TableEngine({ seed: 4, context: 20 }));
  const { tokens, stats } = await complete(optionsOf({ engine, drafter, controller: fixed(4) }));
  assert.deepEqual(tokens, (await complete(optionsOf({ engine }))).tokens);
  assert.ok(stats.drafted > 0 && stats.drafted <= 20);
});

test("the hidden state behind each q is that of the model after the path, once it was asked for", async () => {
  const source = await openModel(fixture("stories260k/draft41K-tok512.bin"));
  const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const { width } = source.spec;
  const prompt = source.tokenizer.encode("Once upon a time", { begin: true });
  for (const [sampling, raw] of [[GREEDY, undefined], [{ ...GREEDY, temperature: 0.7 }, true]] as const) {
    for (const shape of [chain, topK([2, 1])]) {
      const drafter = new ProposedDrafter("model", new ModelProposer(engine), shape);
      drafter.begin(prompt, sampling);
      const told: (Float32Array | undefined)[] = [];
      const goOn: Plan["goOn"] = (_, __, state) => {
        told.push(state!());
        return true;
      };
      const draft = () => drafter.draft({ nodes: 6, depth: 3, goOn, ...raw && { raw } }, new SeededChance(1));
      await draft();
      assert.equal(told.shift(), undefined); // nobody had asked
      assert.ok(told.length > 0 && told.every((state) => state !== undefined));
      drafter.observe(saying([source.tokenizer.encode(",")[0]]));
      told.length = 0;
      const { tokens, parents } = await draft();
      const states = (text: Int32Array) => stateAfter(engine, text, width);
      const text = Int32Array.of(...prompt, source.tokenizer.encode(",")[0]);
      const after = [await states(text)];
      for (let node = 0; node < tokens.length; node++) {
        const path: number[] = [];
        for (let at = node; at >= 0; at = parents[at]) path.unshift(tokens[at]);
        after.push(await states(Int32Array.of(...text, ...path)));
      }
      assert.ok(told.length >= 3);
      for (const state of told) {
        assert.ok(after.some((other) => other.every((value, i) => Math.abs(value - state![i]) < 1e-4)));
      }
    }
  }
  engine.close();
});

async function stateAfter(engine: Engine, text: Int32Array, width: number): Promise<Float64Array> {
  const sequence = engine.open();
  const scores = await sequence.forward({ tokens: text, taps: ["head"], score: "last" });
  const state = Float64Array.from(scores.states!("head").subarray((text.length - 1) * width));
  sequence.close();
  return state;
}
