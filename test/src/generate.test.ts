// The round: whatever is drafted, the text is that of plain decoding; and every way to end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { LookupDrafter } from "../../plugins/drafters/lookup.ts";
import { match } from "../../plugins/rules/match.ts";
import { token } from "../../plugins/rules/token.ts";
import type { Drafter } from "../../src/drafter.ts";
import { complete, generate, type GenerateOptions, type Piece } from "../../src/round/generate.ts";
import { chainTree } from "../../src/tree.ts";
import { GuessingDrafter } from "../support/drafters.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

/** Runs to the end and checks what must hold of every run. */
async function run(options: GenerateOptions) {
  const pieces: Piece[] = [];
  const completion = await complete(options, (piece) => pieces.push(piece));
  const { stats } = completion;
  assert.equal(pieces.map(({ text }) => text).join(""), completion.text);
  assert.deepEqual(pieces.flatMap(({ tokens }) => [...tokens]), [...completion.tokens]);
  assert.equal(stats.tokens, completion.tokens.length);
  assert.equal(stats.accepted, pieces.reduce((sum, { accepted }) => sum + accepted, 0));
  assert.equal(stats.acceptedAt.reduce((sum, count) => sum + count, 0), stats.accepted);
  const kept = options.prompt.length - stats.droppedTokens;
  if (completion.finish !== "aborted") {
    const text = [...options.prompt.slice(stats.droppedTokens), ...completion.tokens];
    assert.deepEqual([...completion.cached], text.slice(0, kept + completion.tokens.length - 1));
  }
  return completion;
}

test("greedy text is the same with any draft, chain or tree", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 3 }),
      async (...c) => {
        const [seed, skill, branches] = c;
        const engine = new TableEngine({ seed });
        const plain = await run(optionsOf({ engine }));
        const drafted = await run(optionsOf({ engine, drafter: new GuessingDrafter(engine, seed, skill, branches) }));
        assert.deepEqual(drafted.tokens, plain.tokens);
        assert.equal(drafted.text, plain.text);
      },
    ),
    { numRuns: 60 },
  );
});

test("the rule match says the same for a seed, whatever is drafted and however it samples", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(1, 3), fc.constantFrom({}, { topK: 5 }, { topP: 0.8 }), async (...c) => {
      const [seed, branches, truncation] = c;
      const sampling = { temperature: 0.9, repetitionPenalty: 1.2, repetitionWindow: 8, ...truncation };
      const engine = new TableEngine({ seed: seed % 7 });
      const common = { engine, rule: match, sampling, seed };
      const plain = await run(optionsOf(common));
      const drafted = await run(optionsOf({ ...common, drafter: new GuessingDrafter(engine, seed, 0.7, branches) }));
      const looked = await run(optionsOf({ ...common, drafter: new LookupDrafter(8, 1) }));
      assert.deepEqual(drafted.tokens, plain.tokens);
      assert.deepEqual(looked.tokens, plain.tokens);
    }),
    { numRuns: 40 },
  );
});

test("penalties judge a drafted token as they judge it without a draft", async () => {
  const engine = new TableEngine({ seed: 5 });
  for (const repetitionWindow of [1, 3, 64]) {
    const sampling = { repetitionPenalty: 1.4, repetitionWindow };
    const plain = await run(optionsOf({ engine, sampling }));
    const drafted = await run(optionsOf({ engine, sampling, drafter: new GuessingDrafter(engine, 3, 0.9, 2) }));
    assert.deepEqual(drafted.tokens, plain.tokens);
    assert.notDeepEqual(plain.tokens, (await run(optionsOf({ engine }))).tokens);
  }
});

test("nothing stands after an end token", async () => {
  const plain = (await run(optionsOf({ engine: new TableEngine({ seed: 9 }) }))).tokens;
  const end = plain[12];
  const first = plain.indexOf(end);
  const engine = new TableEngine({ seed: 9, ends: [end] });
  const drafter = new GuessingDrafter(engine, 1, 1);
  for (const options of [optionsOf({ engine }), optionsOf({ engine, drafter })]) {
    const { tokens, text, finish } = await run(options);
    assert.deepEqual(tokens, plain.slice(0, first + 1));
    assert.equal(finish, "end");
    assert.equal(text, engine.source.tokenizer.decode(plain.slice(0, first)));
  }
});

test("the text ends before a stop string, at the token that completes it", async () => {
  const engine = new TableEngine({ seed: 9 });
  const plain = await run(optionsOf({ engine }));
  const stop = plain.text.slice(10, 13);
  const at = plain.text.indexOf(stop);
  for (const skill of [0, 0.5, 1]) {
    const drafter = new GuessingDrafter(engine, 4, skill);
    const stopped = await run(optionsOf({ engine, drafter, stop: ["no such text", stop] }));
    assert.equal(stopped.finish, "stop");
    assert.equal(stopped.text, plain.text.slice(0, at));
    assert.deepEqual(stopped.tokens, plain.tokens.slice(0, at + 3));
  }
});

test("the budget is met to the token, and drafts never reach beyond it", async () => {
  const engine = new TableEngine({ seed: 2 });
  const plain = await run(optionsOf({ engine }));
  for (let maxTokens = 0; maxTokens < 20; maxTokens++) {
    const { tokens, finish } = await run(
      optionsOf({ engine, maxTokens, drafter: new GuessingDrafter(engine, maxTokens, 0.9) }),
    );
    assert.deepEqual(tokens, plain.tokens.slice(0, maxTokens));
    assert.equal(finish, "length");
  }
});

test("the context is filled to the last token and no further", async () => {
  for (const branches of [1, 3]) {
    const engine = new TableEngine({ context: 24 });
    const drafter = new GuessingDrafter(engine, 8, 0.8, branches);
    const { tokens, finish } = await run(optionsOf({ engine, drafter, maxTokens: Infinity }));
    assert.equal(finish, "context");
    assert.equal(tokens.length, 24 - 3);
  }
});

test("a prompt that does not fit is refused before any work, naming what would fit", async () => {
  const engine = new TableEngine({ context: 24 });
  await assert.rejects(() => run(optionsOf({ engine, maxTokens: 30 })), /ask for at most 21|3 tokens and 30 more/);
  assert.equal(engine.passes, 0);
});

test("a prompt that is truncated loses its oldest tokens, and the stats say how many", async () => {
  const engine = new TableEngine({ context: 24, order: 3 });
  const prompt = Array.from({ length: 40 }, (_, i) => i % 20);
  const { tokens, stats, finish } = await run(optionsOf({ engine, prompt, maxTokens: 10, overflow: "truncate" }));
  const alone = await run(optionsOf({ engine, prompt: prompt.slice(26), maxTokens: 10 }));
  assert.equal(stats.droppedTokens, 26);
  assert.equal(stats.promptTokens, 40);
  assert.equal(finish, "length");
  assert.deepEqual(tokens, alone.tokens);
});

test("an abort ends the text with what is there", async () => {
  const engine = new TableEngine();
  const plain = await run(optionsOf({ engine }));
  const abort = new AbortController();
  const pieces = generate(optionsOf({ engine, signal: abort.signal }));
  const seen: number[] = [];
  while (true) {
    const { value, done } = await pieces.next();
    if (done) {
      assert.equal(value.finish, "aborted");
      assert.deepEqual([...value.tokens], seen);
      assert.deepEqual(seen, [...plain.tokens.slice(0, 7)]);
      assert.equal(value.stats.tokens, 7);
      break;
    }
    seen.push(...value.tokens);
    if (seen.length === 7) abort.abort();
  }
  assert.equal(engine.opened, 0);
});

test("an abort before the start gives an empty completion", async () => {
  const engine = new TableEngine();
  const { tokens, finish } = await run(optionsOf({ engine, signal: AbortSignal.abort() }));
  assert.equal(tokens.length, 0);
  assert.equal(finish, "aborted");
});

test("other work gets its turn between rounds, though passes never wait for anything", async () => {
  const abort = new AbortController();
  setImmediate(() => abort.abort());
  const { finish } = await run(optionsOf({ engine: new TableEngine(), maxTokens: 400, signal: abort.signal }));
  assert.equal(finish, "aborted");
});

test("a conversation computes only what is new", async () => {
  const engine = new TableEngine();
  const sequence = engine.open();
  const first = await run(optionsOf({ engine, sequence }));
  const text = [1, 2, 3, ...first.tokens];
  assert.equal(sequence.length, text.length - 1);
  const prompt = [...text.slice(0, 40), 7, 8, 9];
  engine.rows = 0;
  const options = optionsOf({ engine, sequence, committed: first.cached, prompt, maxTokens: 1 });
  const second = await run(options);
  assert.equal(second.stats.reusedTokens, 40);
  assert.equal(engine.rows, 3);
  assert.deepEqual(second.tokens, (await run(optionsOf({ engine, prompt, maxTokens: 1 }))).tokens);
  const third = await run(optionsOf({ engine, sequence, prompt: [...prompt, second.tokens[0], 5], maxTokens: 1 }));
  assert.equal(third.stats.reusedTokens, 43);
});

test("a sequence of one's own stays open, any other is closed, also when the reader leaves", async () => {
  const engine = new TableEngine();
  for await (const _ of generate(optionsOf({ engine }))) break;
  assert.equal(engine.opened, 0);
});

test("the engine is calibrated after the first token, once, whatever the controller, and only for a drafter", async () => {
  const plan = { nodes: 3, depth: 3 };
  const controller = { name: "never asks", plan: () => plan, observe() {} };
  const engine = new TableEngine();
  await run(optionsOf({ engine, controller }));
  assert.equal(engine.calibrated, 0);
  const pieces = generate(optionsOf({ engine, controller, drafter: new LookupDrafter(8, 1) }));
  await pieces.next();
  assert.equal(engine.calibrated, 0);
  while (!(await pieces.next()).done);
  assert.equal(engine.calibrated, 1);
});

test("speed-up is measured where plain rounds ran, estimated from the cost curve otherwise, absent without either", async () => {
  const engine = new TableEngine({ cost: (width) => 1 + width / 10 });
  const drafter = new GuessingDrafter(engine, 1, 1);
  assert.equal((await run(optionsOf({ engine }))).stats.speedup, undefined);
  let round = 0;
  const always = { name: "always", plan: () => ({ nodes: 3, depth: 3 }), observe() {} };
  const sometimes = { ...always, plan: () => round++ % 2 === 0 ? { nodes: 0, depth: 0 } : { nodes: 3, depth: 3 } };
  const mixed = (await run(optionsOf({ engine, drafter, controller: sometimes }))).stats;
  assert.equal(mixed.speedup?.how, "measured");
  assert.ok(mixed.plainRounds >= 4);
  // A controller that never asks what passes cost, on an engine that nobody calibrated.
  const fresh = new TableEngine({ cost: (width) => 1 + width / 10 });
  const certain: Drafter = { name: "one", laws: ["point"], begin() {}, observe() {}, draft: () => chainTree([0]) };
  const { speedup, plainMs } = (await run(optionsOf({ engine: fresh, drafter: certain, controller: always }))).stats;
  assert.equal(speedup?.how, "estimated");
  assert.ok(speedup.value > 0 && plainMs! > 0);
});

test("a drafter or rule that breaks its contract is named", async () => {
  const engine = new TableEngine();
  const drafter = (draft: Drafter["draft"]): Drafter => ({
    name: "odd",
    laws: ["point"],
    begin() {},
    observe() {},
    draft,
  });
  const refused = (given: Partial<GenerateOptions>, pattern: RegExp) =>
    assert.rejects(() => run({ ...optionsOf({ engine }), ...given }), pattern);
  await refused({ drafter: drafter(() => chainTree([99])) }, /odd .*token 99/);
  await refused({ drafter: drafter(() => chainTree([1, 1, 1, 1, 1, 1, 1])) }, /odd .*7 nodes/);
  const chains = { ...token, laws: ["point", "iid"] as const };
  await refused({ drafter: drafter(() => chainTree([1], "beam")), rule: chains }, /law beam/);
  await refused({ drafter: drafter(() => ({ ...chainTree([1, 2]), parents: Int32Array.of(-1, 5) })) }, /parent 5/);
  const rule = { ...match, name: "wild", verify: () => ({ path: Int32Array.of(3), next: 0 }) };
  await refused({ rule, drafter: drafter(() => chainTree([1])) }, /wild .*no path/);
});

test("impossible combinations are refused before the first pass", async () => {
  const engine = new TableEngine();
  const drafter: Drafter = { name: "beams", laws: ["beam"], begin() {}, observe() {}, draft: () => chainTree([1]) };
  const rule = { ...token, laws: ["point", "iid"] as const };
  await assert.rejects(() => run(optionsOf({ engine, drafter, rule })), /cannot judge drafts of law beam/);
  await assert.rejects(() => run(optionsOf({ engine, sampling: { temperature: 0.7 } })), /greedy .*temperature 0.7/);
  await assert.rejects(() => run(optionsOf({ engine, sampling: { topP: 0 } })), /topP 0 is out of range/);
  await assert.rejects(() => run(optionsOf({ engine, prompt: [] })), /no tokens/);
  await assert.rejects(() => run(optionsOf({ engine, stop: [""] })), /stop string is empty/);
  const loose = new TableEngine({ can: { exact: "none" } });
  await assert.rejects(() => run(optionsOf({ engine: loose, drafter: new LookupDrafter(8, 1) })), /does not promise/);
  assert.equal(engine.passes + loose.passes, 0);
  await run(optionsOf({ engine: loose, drafter: new LookupDrafter(8, 1), strict: false }));
});

test("where the reader of pieces throws, the sequence that was opened for the call is closed", async () => {
  const engine = new TableEngine({ seed: 1 });
  let open = 0;
  const watched = new Proxy(engine, {
    get: (target, name) => {
      if (name !== "open") return Reflect.get(target, name, target);
      return () => {
        const sequence = target.open();
        const close = sequence.close.bind(sequence);
        open++;
        sequence.close = () => {
          open--;
          close();
        };
        return sequence;
      };
    },
  });
  const see = () => {
    throw new Error("the pipe is closed");
  };
  await assert.rejects(complete(optionsOf({ engine: watched }), see), /the pipe is closed/);
  assert.equal(open, 0);
});

test("what a drafter does before the first round is drafting", async () => {
  const slow = new LookupDrafter(8, 2);
  const drafter: Drafter = {
    ...{ name: "slow", laws: ["point"], observe() {}, draft: (plan) => slow.draft(plan) },
    async begin(prompt) {
      slow.begin(prompt);
      await new Promise((resolve) => setTimeout(resolve, 40));
    },
  };
  const { stats } = await run(optionsOf({ engine: new TableEngine(), drafter, maxTokens: 4 }));
  assert.ok(stats.draftMs >= 38 && stats.decodeMs >= stats.draftMs, `${stats.draftMs} of ${stats.decodeMs} ms`);
});
