// SuffixDecoding against a search through all texts, and what it keeps of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SuffixDrafter } from "../../../plugins/drafters/suffix.ts";
import { EarlierTexts } from "../../../src/draft/earlier-texts.ts";
import { fill, type Next } from "../../../src/draft/fill.ts";
import { START } from "../../../src/draft/suffix-automaton.ts";
import { depths, treeFault } from "../../../src/tree.ts";
import { paths, roundOf, saying } from "../../support/rounds.ts";

const OPTIONS = { factor: 2, offset: -1, least: 0.1, most: 100_000 };
const PLAN = { nodes: 12, depth: 6 };

/** How often each token follows a word in some texts. */
function following(texts: readonly (readonly number[])[], word: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const text of texts) {
    for (let at = 0; at + word.length < text.length; at++) {
      if (!word.every((token, i) => text[at + i] === token)) continue;
      const token = text[at + word.length];
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  return counts;
}

/** What the best match is expected to bring, by looking for matches of every length in the text and in earlier ones. */
function slowly(
  text: readonly number[],
  earlier: readonly (readonly number[])[],
  { factor, offset, least }: typeof OPTIONS,
) {
  let best = 0;
  for (const texts of [[text], earlier]) {
    const next: Next<readonly number[]> = (word, offer) => {
      for (let from = 0; from < word.length; from++) {
        const counts = following(texts, word.slice(from));
        const all = [...counts.values()].reduce((a, b) => a + b, 0);
        counts.forEach((count, token) => offer(token, count / all, [...word.slice(from), token]));
        if (all > 0) return;
      }
    };
    for (let length = 1; length <= text.length; length++) {
      const word = text.slice(text.length - length);
      if (following(texts, word).size === 0) continue; // it stands nowhere else, or only as the end of something
      const nodes = Math.min(PLAN.nodes, Math.floor(factor * length + offset));
      best = Math.max(best, fill({ ...PLAN, nodes }, word, next, least).expected);
    }
  }
  return best;
}

test("the draft brings what the best match of any length brings, in this text or in earlier answers", () => {
  const piece = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(piece, fc.array(piece, { maxLength: 4 })), { minLength: 1, maxLength: 3 }),
      (texts) => {
        const drafter = new SuffixDrafter(OPTIONS);
        const earlier: number[][] = [];
        for (const [prompt, rounds] of texts) {
          drafter.begin(Int32Array.from(prompt));
          const said: number[] = [];
          for (const tokens of [[], ...rounds]) {
            if (tokens.length > 0) drafter.observe(saying(tokens));
            said.push(...tokens);
            const tree = drafter.draft(PLAN);
            assert.equal(treeFault(tree, { vocab: 3, ...PLAN }), undefined);
            const value: number[] = [];
            tree.parents.forEach((parent, node) => value.push((value[parent] ?? 1) * tree.confidence![node]));
            const brings = value.reduce((a, b) => a + b, 0);
            assert.ok(Math.abs(brings - slowly([...prompt, ...said], earlier, OPTIONS)) < 1e-9);
          }
          earlier.push(said);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("what was said more often is likelier, and the length follows the match", () => {
  const drafter = new SuffixDrafter({ ...OPTIONS, factor: 1, offset: 0 });
  drafter.begin(Int32Array.of(1, 2, 8, 1, 3, 8, 1, 2, 9, 1));
  const tree = drafter.draft(PLAN);
  assert.deepEqual(paths(tree), [[2]]);
  assert.ok(Math.abs(tree.confidence![0] - 2 / 3) < 1e-12);
  drafter.begin(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 1, 2, 3));
  assert.deepEqual(paths(drafter.draft(PLAN)).at(-1), [4, 5, 6]);
  assert.deepEqual(paths(drafter.after(Int32Array.of(4), PLAN)).at(-1), [5, 6, 7, 1]);
});

test("an answer is remembered when the next text begins; a prompt is not, and a refused draft is nobody's text", () => {
  const drafter = new SuffixDrafter(OPTIONS);
  drafter.begin(Int32Array.of(10, 11));
  drafter.observe(saying([1, 2, 3]));
  const tree = drafter.draft(PLAN);
  drafter.observe(roundOf({ ...tree, tokens: Int32Array.of(77), parents: Int32Array.of(-1) }, [], 4));
  drafter.begin(Int32Array.of(1, 2, 3));
  assert.deepEqual(paths(drafter.draft(PLAN)), [[4]]);
  assert.equal(drafter.after(Int32Array.of(10), PLAN).tokens.length, 0, "11 was never an answer");
  assert.equal(drafter.after(Int32Array.of(77), PLAN).tokens.length, 0);
});

test("the end of a text that repeats itself goes on repeating", () => {
  const drafter = new SuffixDrafter(OPTIONS);
  drafter.begin(Int32Array.of(1, 2, 3, 1, 2, 3, 1, 2));
  const tree = drafter.draft({ nodes: 9, depth: 9 });
  const deepest = depths(tree).indexOf(9);
  assert.deepEqual(paths(tree)[deepest], [3, 1, 2, 3, 1, 2, 3, 1, 2]);
});

test("where a long text repeats one token, a draft takes no tree for each length of the match", () => {
  const drafter = new SuffixDrafter({ factor: 1, offset: 0, least: 0.1, most: 100_000 });
  drafter.begin(new Int32Array(10_000).fill(5));
  const start = performance.now();
  for (let draft = 0; draft < 50; draft++) assert.equal(drafter.draft({ nodes: 64, depth: 8 }).tokens.length, 8);
  const took = (performance.now() - start) / 50;
  assert.ok(took < 10, `${took} ms a draft`); // 48 ms where every length is tried
});

test("earlier texts stay within their bound; those of use stay, work is spread, and what is gone is not found", () => {
  const texts = new EarlierTexts(1000);
  const text = (name: number) => Int32Array.from({ length: 100 }, (_, i) => 1000 * name + i);
  const has = (name: number) => texts.automaton.step(START, 1000 * name + 50) >= 0;
  texts.add(text(1));
  texts.credit(texts.automaton.end(texts.automaton.step(START, 1050)));
  for (let name = 2; name <= 10; name++) texts.add(text(name));
  texts.credit(150); // the second
  texts.credit(199);
  assert.equal(texts.automaton.tokens, 1000);
  texts.add(text(11));
  assert.ok(has(10) && !has(11), "the old one serves until the new one is whole");
  texts.tidy();
  texts.add(text(12));
  for (let round = 0; round < 3; round++) texts.tidy();
  assert.deepEqual([1, 2, 3, 8, 9, 10, 11, 12].filter(has), [1, 2, 9, 10, 11, 12]);
  assert.equal(texts.automaton.tokens, 600);
  texts.add(Int32Array.from({ length: 5000 }, (_, i) => i % 7 + 1));
  for (let round = 0; round < 10; round++) texts.tidy();
  assert.ok(texts.automaton.tokens <= 1000);
});
