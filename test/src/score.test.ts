// Likelihoods of texts: against golden logits, against their definition, and however the text is cut into passes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { Engine } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import { scoreTokens, type TextScore } from "../../src/round/perplexity.ts";
import { fixture } from "../kernels/support/golden.ts";

const golden = JSON.parse(readFileSync(fixture("stories260k/golden.json"), "utf8")).stories260K as {
  readonly greedy_ids_from_bos: readonly number[];
  readonly logits: readonly { pos: number; logits_first8: readonly number[]; argmax: number; max: number }[];
};
const source = await openModel(fixture("stories260k/stories260K-f32.gguf"));
const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
const tokens = Int32Array.from(golden.greedy_ids_from_bos).subarray(0, 40);
/** The same engine with passes of another width. */
const inPasses = (maxRows: number) =>
  new Proxy(engine, { get: (on, key) => key === "maxRows" ? maxRows : bound(on, key) });
const bound = (on: Engine, key: string | symbol) => {
  const value = Reflect.get(on, key, on);
  return typeof value === "function" ? value.bind(on) : value;
};

test("greedy text is the likeliest everywhere, and its logits are the golden ones", async () => {
  const rows: number[][] = [];
  const found = await scoreTokens(engine, tokens, { see: (logits) => rows.push([...logits]) });
  assert.deepEqual(found.tokens.map(({ rank }) => rank), [undefined, ...Array(39).fill(1)]);
  assert.equal(found.scored, 39);
  assert.equal(rows.length, 40);
  for (const { pos, logits_first8, argmax, max } of golden.logits.filter(({ pos }) => pos < 40)) {
    logits_first8.forEach((logit, token) => assert.ok(Math.abs(rows[pos][token] - logit) < 1e-4));
    assert.ok(Math.abs(rows[pos][argmax] - max) < 1e-4);
  }
});

test("log-probabilities, ranks, likeliest tokens, total and perplexity are what they are defined as", async () => {
  const unlikely = tokens.map((token, i) => i % 3 === 2 ? (token * 7 + 5) % 512 : token);
  const rows: number[][] = [];
  const found = await scoreTokens(engine, unlikely, { top: 3, see: (logits) => rows.push([...logits]) });
  let total = 0;
  found.tokens.forEach(({ token, logProbability, rank, top }, i) => {
    assert.equal(token, unlikely[i]);
    if (i === 0) return assert.deepEqual([logProbability, rank, top], [undefined, undefined, undefined]);
    const logits = rows[i - 1];
    const sum = Math.log(logits.reduce((all, logit) => all + Math.exp(logit), 0));
    assert.ok(Math.abs(logProbability! - (logits[token] - sum)) < 1e-9);
    const order = logits.map((_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b);
    assert.equal(order[rank! - 1], token);
    assert.deepEqual(top!.map((best) => best.token), order.slice(0, 3));
    top!.forEach((best) => assert.ok(Math.abs(best.logProbability - (logits[best.token] - sum)) < 1e-9));
    total += logProbability!;
  });
  assert.ok(Math.abs(found.total - total) < 1e-9);
  assert.ok(Math.abs(found.perplexity - Math.exp(-total / 39)) < 1e-9);
  assert.ok(found.tokens.some(({ rank }) => rank! > 10));
});

test("a text has the same scores in passes of any width", async () => {
  const whole = await scoreTokens(engine, tokens);
  for (const maxRows of [1, 7, 39, 40]) assert.deepEqual(await scoreTokens(inPasses(maxRows), tokens), whole);
});

test("windows are scored as texts of their own", async () => {
  const found = await scoreTokens(engine, tokens, { window: 16 });
  const parts: TextScore[] = [];
  for (const [from, to] of [[0, 16], [16, 32], [32, 40]]) {
    parts.push(await scoreTokens(engine, tokens.subarray(from, to)));
  }
  assert.deepEqual(found.tokens, parts.flatMap((part) => part.tokens));
  assert.equal(found.scored, 37);
  assert.ok(Math.abs(found.total - parts.reduce((sum, part) => sum + part.total, 0)) < 1e-9);
});

test("one token alone has no score", async () => {
  const { tokens: scores, scored, total, perplexity } = await scoreTokens(engine, Int32Array.of(1));
  assert.deepEqual([scores, scored, total, perplexity], [[{ token: 1 }], 0, 0, NaN]);
});

test("what cannot be scored is refused with what to do", async () => {
  const refused = (given: Int32Array, options: Parameters<typeof scoreTokens>[2], pattern: RegExp) =>
    assert.rejects(
      scoreTokens(engine, given, options),
      (error) => error instanceof HunchError && pattern.test(error.line),
    );
  await refused(new Int32Array(0), {}, /no tokens/);
  await refused(Int32Array.of(1, 512), {}, /token 512 at place 1/);
  await refused(Int32Array.of(1, -1), {}, /token -1/);
  await refused(new Int32Array(513), {}, /513 tokens do not fit the context of 512.*parts of at most 512/);
  await refused(tokens, { window: 1 }, /windows of 1/);
  assert.equal((await scoreTokens(engine, new Int32Array(12), { window: 5 })).scored, 9);
});

test("scoring stops when it is told to", async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  const scoring = scoreTokens(inPasses(4), tokens, {
    signal: stop.signal,
    progress: (fraction) => {
      seen.push(fraction);
      if (fraction >= 0.2) stop.abort(new Error("enough"));
    },
  });
  await assert.rejects(scoring, /enough/);
  assert.deepEqual(seen, [0.1, 0.2]);
});
