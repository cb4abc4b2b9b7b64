// hunch simulate: what it calculates is what comes of following every way a round can go, and what runs have shown.
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Results } from "../../cli/bench/results.ts";
import type { Run } from "../../cli/bench/stand.ts";
import { SeededChance } from "../../src/chance.ts";
import { Random } from "../../src/check/generate-cases.ts";
import { best, breakEven, chains, type Guesses, trees } from "../../cli/simulate/forecast.ts";
import { PUBLISHED, publishedAcceptance } from "../../cli/simulate/published.ts";
import { guessesOf } from "../../cli/simulate/simulate.ts";
import { hunch } from "./support/cli.ts";

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} and ${b}`);

test("a chain's tokens are the sum over every length that can be kept", () => {
  const acceptance = [0.9, 0.5, 0.7];
  const all = chains({ acceptance, draftMs: 0 }, () => 10, 5);
  for (const { nodes, tokensPerPass, speedup } of all) {
    let expected = 0;
    let reached = 1;
    for (let kept = 0; kept <= nodes; kept++) {
      const on = kept === nodes ? 0 : acceptance[Math.min(kept, 2)];
      expected += reached * (1 - on) * (kept + 1);
      reached *= on;
    }
    near(tokensPerPass, expected);
    near(speedup, expected); // passes cost the same whatever their rows
  }
});

test("the trees are the best there are: every tree of up to four nodes was tried", () => {
  const guesses: Guesses = { acceptance: [0.6, 0.5], others: [0.4, 0.2], draftMs: 0 };
  const worth = (depth: number, rank: number) => (depth === 1 ? 0.6 : 0.5) * [1, 0.4, 0.2][rank];
  // Node i hangs below an earlier one or the root, as its next child.
  const most = (nodes: { depth: number; chance: number; children: number }[], left: number): number =>
    left === 0 ? nodes.reduce((sum, { chance }) => sum + chance, 0) : Math.max(
      ...nodes.flatMap((parent, at) => {
        if (parent.children === 3) return [];
        const child = {
          depth: parent.depth + 1,
          chance: parent.chance * worth(parent.depth + 1, parent.children),
          children: 0,
        };
        const grown = nodes.map((node, i) => i === at ? { ...node, children: node.children + 1 } : node);
        return [most([...grown, child], left - 1)];
      }),
    );
  for (const { nodes, tokensPerPass, widths } of trees(guesses, () => 1, 4)) {
    near(tokensPerPass, most([{ depth: 0, chance: 1, children: 0 }], nodes));
    assert.equal(widths.reduce((a, b) => a + b), nodes);
  }
});

test("break-even is where the best chain is as fast as plain decoding", () => {
  const cost = (rows: number) => 20 + 4 * rows;
  const guesses: Guesses = { acceptance: [0.5], draftMs: 3 };
  const least = breakEven(guesses, cost, 8)!;
  // One node: 1 + a tokens for 28 + 3 ms, beside 1 for 24.
  near(Math.round(least * 1e6) / 1e6, Math.round((31 / 24 - 1) * 1e6) / 1e6);
  assert.ok(best(chains({ ...guesses, acceptance: [least + 0.01] }, cost, 8)).speedup > 1);
  assert.equal(breakEven({ ...guesses, draftMs: 100 }, cost, 8), undefined);
});

test("from runs it takes back what they were made of, and forecasts what they brought", () => {
  // 100 rounds each: 60 drafts of three, of which 40 keep one or more, 20 two, 10 three; the other rounds have none.
  const run = (passes: number, drafts: number): Run => ({
    tokens: passes + (40 + 20 + 10) * drafts / 60,
    passes,
    rows: passes + 3 * drafts,
    drafted: 3 * drafts,
    accepted: 70 * drafts / 60,
    offeredAt: [drafts, drafts, drafts],
    acceptedAt: [40, 20, 10].map((kept) => kept * drafts / 60),
    ranks: { offered: [], accepted: [] },
    bySource: {},
    widths: {},
    plainRounds: 0,
    firstMs: 1,
    draftMs: 0.5 * passes + 2 * 3 * drafts,
    verifyMs: 1,
    decodeMs: 1,
    lossless: true,
  });
  const settings = [{ name: "plain" }, { name: "d" }];
  // And rounds in which all is easy: deep drafts are kept more often than short ones.
  const easy: Run = {
    ...run(10, 0),
    tokens: 70,
    offeredAt: new Array(6).fill(10),
    acceptedAt: new Array(6).fill(10),
    draftMs: 125,
  };
  const runs = [run(100, 60), run(50, 30), run(70, 60), easy].map((run) => ({
    setting: "d",
    prompt: "k/1",
    turn: 0,
    ...run,
  }));
  const results = { settings, runs } as unknown as Results;
  const { acceptance, offered, kept, draftMs, roundMs } = guessesOf(results);
  near(draftMs, 2);
  near(roundMs!, 0.5);
  const trees = { settings, runs: runs.map((run) => ({ ...run, drafted: 2 * run.drafted })) } as unknown as Results;
  assert.throws(() => guessesOf(trees), /d drafted trees/);
  near(acceptance[0], 110 / 160);
  near(acceptance[2], 35 / 60);
  const forecast = chains({ acceptance, offered, kept, draftMs, roundMs }, (rows) => 10 + rows, 9);
  const tokens = runs.reduce((sum, run) => sum + run.tokens, 0),
    passes = runs.reduce((sum, run) => sum + run.passes, 0);
  near(forecast[6].tokensPerPass, tokens / passes);
  near(forecast[9].tokensPerPass, tokens / passes); // deeper was never drafted
  // Ten rounds that said seven tokens take 7/4 rounds each: all was kept, so the stretch goes on.
  near(forecast[3].tokensPerPass, tokens / (passes + 10 * 3 / 4));
  near(forecast[0].tokensPerPass, 1);
  near(forecast[0].speedup, 1);
});

test("from chains of eight it forecasts what shorter ones bring on a text with easy stretches", () => {
  const random = new Random(new SeededChance("stretches"));
  let easy = false;
  /** Whether the guess for a token is right where those before it were. */
  const right = Array.from({ length: 40_000 }, () => {
    if (random.uniform() < 0.08) easy = !easy;
    return random.uniform() < (easy ? 0.97 : 0.2);
  });
  const played = (length: number) => {
    const kept = new Array<number>(length).fill(0);
    let rounds = 0;
    for (let at = 0; at < right.length; rounds++) {
      let depth = 0;
      while (depth < length && right[at + depth]) kept[depth++]++;
      at += depth + 1;
    }
    return { tokensPerPass: right.length / rounds, kept: kept.map((count) => count / rounds) };
  };
  const { kept } = played(8);
  const forecast = chains({ acceptance: [1], offered: [1], kept, draftMs: 1 }, (rows) => 20 + rows, 8);
  for (const length of [1, 2, 3, 5, 8]) {
    const { tokensPerPass } = played(length);
    const told = forecast[length];
    assert.ok(
      Math.abs(told.tokensPerPass / tokensPerPass - 1) < 0.02,
      `${length}: ${told.tokensPerPass}, ${tokensPerPass}`,
    );
    const speedup = tokensPerPass * 21 / (21 + length + length);
    assert.ok(Math.abs(told.speedup / speedup - 1) < 0.02, `${length}: ${told.speedup}, ${speedup}`);
    // What was kept to a depth in rounds of eight is not what rounds of that length keep.
    if (length < 5) assert.ok(1 + kept.slice(0, length).reduce((a, b) => a + b) < 0.97 * tokensPerPass);
  }
});

test("the command says what is best, and what it was not told", async () => {
  const [told, missing, wrong, point, sum] = await Promise.all([
    hunch(["simulate", "--acceptance", "0.8", "--cost", "1:20,8:24,32:40", "--json"]),
    hunch(["simulate"]),
    hunch(["simulate", "--acceptance", "0.8", "--cost", "8:24,1:20"]),
    hunch(["simulate", "--acceptance", "0.8", "--cost", "1:20"]),
    hunch(["simulate", "--acceptance", "0.8", "--cost", "1:20,8:24", "--others", "0.2,0.1"]),
  ]);
  const { chains: forecasts } = JSON.parse(told.stdout) as { chains: { nodes: number; speedup: number }[] };
  near(forecasts[1].speedup, 1.8 * 20 / (20 + 4 / 7));
  assert.deepEqual([missing.code, wrong.code, point.code], [2, 2, 2]);
  assert.match(sum.stderr, /some child would be right 1.04 times of one/);
  assert.match(missing.stderr, /--acceptance .* or --from/);
  assert.match(wrong.stderr, /--cost cannot be "8:24,1:20"/);
});

test("a published drafter brings, with drafts that never end, the tokens a pass that were published", async () => {
  for (const name of PUBLISHED) {
    const { acceptance, from } = publishedAcceptance(name);
    const [, tokens] = /([\d.]+) tokens a pass/.exec(from)!;
    const endless = chains({ acceptance: [acceptance], draftMs: 0 }, () => 1, 400);
    assert.ok(Math.abs(endless[400].tokensPerPass - Number(tokens)) < 1e-6, name);
  }
  const [told, none, two, unread] = await Promise.all([
    hunch(["simulate", "--published", "medusa", "--cost", "1:20,8:24,32:40", "--draft-ms", "1"]),
    hunch(["simulate", "--published", "egle", "--cost", "1:20"]),
    hunch(["simulate", "--published", "eagle", "--acceptance", "0.5", "--cost", "1:20"]),
    hunch(["simulate", "--published", "eagle", "--setting", "lookup", "--cost", "1:20,8:24"]),
  ]);
  assert.equal(unread.code, 2);
  assert.match(unread.stderr, /--setting names one of a results file/);
  assert.match(told.stdout, /^guesses: medusa, 2\.32 tokens a pass in Spec-Bench.*: 56\.9% are kept/);
  assert.deepEqual([told.code, none.code, two.code], [0, 2, 2]);
  assert.match(told.stdout, /with trees, of which a chain keeps less/);
  assert.match(none.stderr, /nobody published "egle"; did you mean eagle\?/);
  assert.match(two.stderr, /both say/);
});

test("a curve begins at plain decoding and never falls, so that nothing is calculated from rows that nobody gave", async () => {
  for (const curve of ["8:24,32:40", "1:20,2:10", "1:0,2:1", "1:20,8:24,16:23"]) {
    const { code, stderr } = await hunch(["simulate", "--acceptance", "0.8", "--cost", curve]);
    assert.equal(code, 2, curve);
    assert.match(stderr, /--cost cannot be ".*from 1 row on, more rows taking no less/);
  }
});
