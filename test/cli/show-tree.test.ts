// --show-tree: the drafts of a generation, drawn.
import assert from "node:assert/strict";
import { test } from "node:test";
import { treeLines } from "../../cli/output/tree.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { optTree } from "../../plugins/shapes/opt-tree.ts";
import { complete } from "../../src/round/generate.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import type { RoundView } from "../../src/view.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

const plain = { on: false, ...Object.fromEntries(["dim", "bold", "accepted", "good", "bad"].map((k) => [k, same])) };
function same(text: string) {
  return text;
}
const PAINT = plain as unknown as Parameters<typeof treeLines>[4];

const WORDS = [" the", " cat", " sat", "\x1b[2J", "\n", "日本", "\xe2", ""];
const tokenizer = {
  bytes: (token: number) => token === 6 ? Uint8Array.of(0xe2) : new TextEncoder().encode(WORDS[token]),
  name: (token: number) => `<special ${token}>`,
} as unknown as Tokenizer;

const view = (path: number[], next: number): RoundView => ({
  round: {
    plan: { nodes: 8, depth: 4 },
    tree: {
      tokens: Int32Array.of(1, 0, 2, 3, 4, 5, 6),
      parents: Int32Array.of(-1, -1, 0, 0, 1, 2, 5),
      law: "point",
      q: () => undefined,
      confidence: Float64Array.of(0.5, 0.25, 0.004, 0.1, 1, NaN, 0),
    },
    verdict: { path: Int32Array.from(path), next },
    committed: new Int32Array(path.length + 1),
    rows: 8,
    draftMs: 1.25,
    verifyMs: 20,
  },
  root: 0,
  target: Float64Array.of(0.6, 0.2, 0.99, 0.1, 0.5, 0.5, 0.125),
});

test("a round is a tree of accepted, refused and unseen nodes, with what draft and target thought of them", () => {
  assert.deepEqual(treeLines(view([0, 2], 7), 3, tokenizer, 50, PAINT), [
    "round 3 · 2 of 7 accepted · drafted in 1.3 ms, judged in 20 ms",
    '" the"                               draft  target',
    '├ ● " cat"                            0.50    0.60',
    '│ ├ ● " sat"                         <0.01    0.99',
    '│ │ ├ ○ "日本"                           –    0.50',
    "│ │ │ └ · <e2>                        0.00    0.13",
    "│ │ └ → <special 7>",
    '│ └ ○ "\\u001b[2J"                     0.10    0.10',
    '└ ○ " the"                            0.25    0.20',
    '  └ · "\\n"                            1.00    0.50',
    "",
  ]);
});

test("no line is wider than the terminal, however deep the tree and long the tokens", () => {
  for (const columns of [30, 40, 80, 100]) {
    const tokens = Int32Array.from({ length: 40 }, () => 0);
    const long = { ...tokenizer, bytes: () => new TextEncoder().encode("supercalifragilistic日本語") };
    const deep: RoundView = {
      ...view([], 0),
      round: {
        ...view([], 0).round,
        tree: { tokens, parents: tokens.map((_, i) => i - 1), law: "point", q: () => undefined },
        verdict: { path: tokens.map((_, i) => i), next: 1 },
        committed: new Int32Array(41),
      },
      target: new Float64Array(40),
    };
    for (const line of treeLines(deep, 1, long, columns, PAINT).slice(1)) {
      const width = [...line].reduce((sum, c) => sum + (/[\u2e80-\ua4cf]/.test(c) ? 2 : 1), 0);
      assert.ok(width <= columns, `${width} of ${columns}: ${line}`);
    }
  }
});

test("generate tells of every round with a draft, and how likely the target found each node", async () => {
  for (const sampling of [{}, { temperature: 0.7 }]) {
    const engine = new TableEngine({ seed: 4 });
    const drafter = new ProposedDrafter("model", new ModelProposer(new TableEngine({ seed: 4 })), optTree(0));
    const views: RoundView[] = [];
    const rule = sampling.temperature === undefined ? undefined : (await import("../../plugins/rules/match.ts")).match;
    const options = () =>
      optionsOf({
        engine,
        drafter,
        sampling,
        controller: fixed(6, 3),
        maxTokens: 30,
        ...(rule && { rule }),
      });
    const told = await complete({ ...options(), onRound: (view) => views.push(view) });
    assert.deepEqual(told.tokens, (await complete(options())).tokens, "watching changes nothing");
    assert.ok(views.length >= told.stats.rounds - 2);
    for (const { round: { tree }, target } of views) {
      assert.equal(target.length, tree.tokens.length);
      // The draft model is the target, so they agree: at temperature 1 where decoding is greedy.
      target.forEach((value, node) => assert.ok(Math.abs(value - tree.confidence![node]) < 1e-6));
    }
  }
});
