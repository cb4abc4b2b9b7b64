// Draft trees and the text of plain decoding. An engine that is exact for trees says the same to the last token and
// judges each tree in the pass that scores it; one that is exact for chains alone gets the eldest chain of a draft.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { match } from "../../plugins/rules/match.ts";
import { token } from "../../plugins/rules/token.ts";
import type { Round } from "../../src/controller.ts";
import { complete, generate, type GenerateOptions, type Piece } from "../../src/round/generate.ts";
import { eldestChain } from "../../src/round/draft.ts";
import { GuessingDrafter, KnowingDrafter } from "../support/drafters.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine, type TableOptions } from "../support/table-engine.ts";

/** Ties abound, and what breaks them is far below the noise of trees. */
const shaky = (seed: number, options: TableOptions = {}) =>
  new TableEngine({ seed, grid: 1, treeNoise: 0.01, can: { exact: "chains" }, ...options });

/** Runs to the end; what is told piece by piece, in the stats and to the drafter must agree with the text. */
async function run(options: GenerateOptions) {
  const rounds: Round[] = [];
  const pieces: Piece[] = [];
  const { drafter } = options;
  const watched = new Proxy(drafter, {
    get: (target, name) => {
      if (name === "observe") {
        return (round: Round) => {
          rounds.push(round);
          return target.observe(round);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const completion = await complete({ ...options, drafter: watched }, (piece) => pieces.push(piece));
  const { stats, tokens, text } = completion;
  assert.deepEqual(rounds.flatMap(({ committed }) => [...committed]), [...tokens], "every token is observed once");
  assert.deepEqual(pieces.flatMap((piece) => [...piece.tokens]), [...tokens]);
  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  assert.equal(stats.accepted, pieces.reduce((sum, { accepted }) => sum + accepted, 0));
  assert.equal(stats.accepted, stats.acceptedAt.reduce((sum, count) => sum + count, 0));
  stats.acceptedAt.forEach((count, depth) => assert.ok(count <= stats.offeredAt[depth]));
  assert.equal(stats.passes, stats.rounds);
  assert.equal(stats.rows, rounds.reduce((sum, { rows }) => sum + rows, 0));
  if (completion.finish !== "aborted") {
    assert.deepEqual([...completion.cached], [...options.prompt, ...tokens].slice(0, -1));
  }
  return completion;
}

/** Engines on which text is promised: one that is exact everywhere, and one whose scores beside branches are off. */
const engines = (seed: number, options: TableOptions = {}) => [
  new TableEngine({ seed, grid: 1, ...options }),
  shaky(seed, options),
];

test("greedy text with trees is plain text where every second decision is a tie", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(token, undefined), async (seed, rule) => {
      for (const engine of engines(seed)) {
        const common = { engine, ...(rule && { rule }) };
        const plain = await run(optionsOf(common));
        const drafted = await run(optionsOf({ ...common, drafter: new GuessingDrafter(engine, seed, 0.8, 3) }));
        assert.deepEqual(drafted.tokens, plain.tokens);
        assert.equal(drafted.text, plain.text);
      }
    }),
    { numRuns: 60 },
  );
});

test("sampled text of the rule match with trees is plain text for the same seed", async () => {
  const sampling = { temperature: 1, topP: 0.9, repetitionPenalty: 1.3, repetitionWindow: 6 };
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(0.05, 2), async (seed, treeNoise) => {
      for (const engine of engines(seed, { grid: undefined, treeNoise })) {
        if (engine.can.exact === "trees" && treeNoise > 0) continue;
        const common = { engine, rule: match, seed, sampling };
        const plain = await run(optionsOf(common));
        const drafted = await run(optionsOf({ ...common, drafter: new GuessingDrafter(engine, seed, 0.8, 3) }));
        assert.deepEqual(drafted.tokens, plain.tokens);
      }
    }),
    { numRuns: 60 },
  );
});

test("ends, stop strings, budgets and contexts cut the text where they cut plain text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(30), fc.integer({ min: 5, max: 40 }), async (seed, maxTokens, context) => {
      const whole = await run(optionsOf({ engine: shaky(seed) }));
      const stop = whole.text.slice(20, 22);
      for (
        const [options, given] of [
          [{}, { maxTokens }],
          [{ context }, { maxTokens: Infinity }],
          [{ ends: [whole.tokens[15]] }, {}],
          [{ maxRows: 4 }, {}],
          [{}, { stop: [stop] }],
        ] as const
      ) {
        for (const engine of engines(seed, options)) {
          const plain = await run(optionsOf({ engine, ...given }));
          const drafter = new GuessingDrafter(engine, seed, 0.9, 3);
          const drafted = await run(optionsOf({ engine, ...given, drafter }));
          assert.deepEqual(drafted.tokens, plain.tokens);
          assert.equal(drafted.text, plain.text);
          assert.equal(drafted.finish, plain.finish);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test("a tree is judged in the pass that scores it: no row and no round is spent on settling it", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const engine = new TableEngine({ seed });
    const plain = await run(optionsOf({ engine }));
    const rounds: Round[] = [];
    const drafter = new KnowingDrafter(plain.tokens, seed);
    const observe = drafter.observe.bind(drafter);
    drafter.observe = (round) => {
      rounds.push(round);
      observe(round);
    };
    const { stats, tokens } = await complete(optionsOf({ engine, drafter }));
    assert.deepEqual(tokens, plain.tokens);
    assert.equal(stats.rows, stats.rounds + stats.drafted);
    assert.equal(stats.leftOut, 0);
    for (const { verdict, tree, committed } of rounds.slice(0, -1)) {
      assert.deepEqual([...committed], [...Array.from(verdict.path, (node) => tree.tokens[node]), verdict.next]);
      assert.ok(verdict.path.length > 0);
    }
    assert.ok(rounds.some(({ verdict }) => verdict.path.some((node, i) => node !== i)), "branches were accepted");
  }
});

test("an engine that is exact for chains alone verifies the eldest chain of a tree and says what it leaves out", async () => {
  let left = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const engine = new TableEngine({ seed, treeNoise: 50, can: { exact: "chains" } });
    const plain = await run(optionsOf({ engine }));
    const drafted = await run(optionsOf({ engine, drafter: new KnowingDrafter(plain.tokens, seed) }));
    assert.deepEqual(drafted.tokens, plain.tokens);
    assert.ok(drafted.stats.passes < plain.stats.passes);
    assert.equal(drafted.stats.rows, drafted.stats.rounds + drafted.stats.drafted);
    left += drafted.stats.leftOut;
  }
  assert.ok(left > 0);
});

test("where a distribution is promised and not a text, whole trees are judged whatever the engine is exact for", async () => {
  const engine = new TableEngine({ seed: 3, can: { exact: "chains" } });
  const drafter = new GuessingDrafter(engine, 1, 0.8, 3);
  const { stats } = await complete(optionsOf({ engine, drafter, rule: token, sampling: { temperature: 1 } }));
  assert.equal(stats.leftOut, 0);
});

test("the eldest chain is that of eldest children", () => {
  const tree = {
    tokens: Int32Array.of(10, 11, 12, 13, 14, 15),
    parents: Int32Array.of(-1, -1, 1, 0, 0, 3),
    law: "point" as const,
    q: () => undefined,
  };
  const chain = eldestChain(tree);
  assert.deepEqual([...chain.tokens], [10, 13, 15]);
  assert.deepEqual([...chain.parents], [-1, 0, 1]);
});

test("an abort leaves a text that plain decoding goes on from", async () => {
  const engine = shaky(4);
  const plain = await run(optionsOf({ engine }));
  const abort = new AbortController();
  const drafter = new KnowingDrafter(plain.tokens, 2);
  const pieces = generate(optionsOf({ engine, drafter, signal: abort.signal }));
  let seen = 0;
  while (true) {
    const { value, done } = await pieces.next();
    if (done) {
      assert.equal(value.finish, "aborted");
      assert.equal(value.tokens.length, seen);
      assert.deepEqual(value.tokens, plain.tokens.slice(0, seen));
      assert.equal(value.cached.length, 3 + seen - 1);
      break;
    }
    seen += value.tokens.length;
    if (seen > 10) abort.abort();
  }
});

test("a conversation goes on from a cache that only chains have written", async () => {
  const engine = shaky(6);
  const plain = await run(optionsOf({ engine }));
  const sequence = engine.open();
  const drafter = new KnowingDrafter(plain.tokens, 3);
  const first = await run(optionsOf({ engine, sequence, drafter, maxTokens: 30 }));
  const prompt = [1, 2, 3, ...first.tokens];
  const second = await run(optionsOf({ engine, sequence, committed: first.cached, prompt, maxTokens: 30 }));
  assert.deepEqual([...first.tokens, ...second.tokens], [...plain.tokens]);
});

test("without strict the same engine says other things, so the tests above test something", async () => {
  let different = 0;
  for (let seed = 0; seed < 20; seed++) {
    const engine = shaky(seed);
    const plain = await complete(optionsOf({ engine }));
    const drafter = new GuessingDrafter(engine, seed, 0.8, 3);
    const drafted = await complete(optionsOf({ engine, drafter, strict: false }));
    if (String(drafted.tokens) !== String(plain.tokens)) different++;
  }
  assert.ok(different > 10);
});
