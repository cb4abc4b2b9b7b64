// The small stores that drafters keep what they learn in, each against a slow plain one.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IntTable } from "../../src/draft/int-table.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { Phrases } from "../../src/draft/phrases.ts";
import { contextKey, SuccessorTable } from "../../src/draft/successor-table.ts";
import { treeFault } from "../../src/tree.ts";
import { paths } from "../support/rounds.ts";

test("a table of whole numbers is a map of them, also when it grows and is emptied", () => {
  const entry = fc.tuple(fc.oneof(fc.integer(), fc.nat({ max: 40 })), fc.nat());
  fc.assert(fc.property(fc.array(entry, { maxLength: 600 }), fc.nat({ max: 600 }), (entries, clearAt) => {
    const table = new IntTable();
    const map = new Map<number, number>();
    entries.forEach(([key, value], i) => {
      if (i === clearAt) {
        table.clear();
        map.clear();
      }
      table.set(key, value);
      map.set(key, value);
    });
    for (const [key] of entries) assert.equal(table.get(key), map.get(key) ?? -1);
    assert.equal(table.get(-12345678), map.get(-12345678) ?? -1);
  }));
});

test("phrases: the latest stay and come first, or the most frequent", () => {
  const added = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 3 })), { maxLength: 40 });
  fc.assert(fc.property(added, (added) => {
    const phrases = new Phrases(2, 3);
    const slow = new Map<number, number[]>();
    for (const [before, name] of added) {
      phrases.add(before, [9, name, name + 10, 9], 1);
      slow.set(before, [name, ...(slow.get(before) ?? []).filter((other) => other !== name)].slice(0, 3));
    }
    for (const before of [0, 1, 2]) {
      const all = phrases.after(before).map((phrase) => [...phrase]);
      assert.deepEqual(all, (slow.get(before) ?? []).map((name) => [name, name + 10]));
    }
  }));
  const frequent = new Phrases(1, 2, "frequent");
  for (const token of [1, 1, 1, 2, 2, 3]) frequent.add(7, [token]);
  assert.deepEqual(frequent.after(7).map(([token]) => token), [1, 3], "the rarest gives way");
  frequent.add(7, [3]);
  frequent.add(7, [3]);
  frequent.add(7, [3]);
  assert.deepEqual(frequent.after(7).map(([token]) => token), [3, 1]);
  frequent.clear();
  assert.deepEqual(frequent.after(7), []);
});

test("phrases of a text are all of it, however it arrives, also for many tokens", () => {
  const text = Int32Array.from({ length: 2000 }, (_, i) => i);
  const phrases = new Phrases(3, 2);
  for (let end = 1; end <= text.length; end += 7) phrases.addAll(text.subarray(0, end), end - 7 - 3);
  assert.deepEqual([...phrases.after(1500)[0]], [1501, 1502, 1503]);
  assert.deepEqual([...phrases.after(0)[0]], [1, 2, 3]);
  assert.deepEqual(phrases.after(1999), []);
});

test("what is joined stands once, within its plan, and as far as there is room", () => {
  const tree = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 5 })), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 3 }), fc.nat({ max: 10 }), fc.nat({ max: 3 }), (trees, nodes, depth) => {
      const joined = new JoinedTree({ nodes, depth });
      const wanted = new Set<string>();
      for (const nodes of trees) {
        const tree = {
          tokens: Int32Array.from(nodes, ([token]) => token),
          parents: Int32Array.from(nodes, ([, back], node) => Math.max(-1, node - 1 - back)),
          law: "point" as const,
          q: () => undefined,
        };
        paths(tree).forEach((path) => path.length <= depth && wanted.add(path.join()));
        joined.addTree(-1, tree).forEach((at, node) => {
          if (at >= 0) assert.equal(paths(joined.tree)[at].join(), paths(tree)[node].join());
        });
      }
      const found = paths(joined.tree).map((path) => path.join());
      assert.equal(treeFault(joined.tree, { vocab: 3, nodes, depth }), undefined);
      assert.equal(new Set(found).size, found.length);
      assert.equal(found.length, Math.min(nodes, wanted.size));
      for (const path of found) assert.ok(wanted.has(path));
    }),
  );
});

test("successors are running means, the context seen longest ago gives way, and the size is fixed", () => {
  const table = new SuccessorTable(8, 2);
  const of = (key: number) => {
    const all = new Map<number, number>();
    const known = table.visit(key, (token, share) => all.set(token, share));
    return known ? all : undefined;
  };
  assert.equal(of(1), undefined);
  table.see(1, [5, 6], [0.5, 0.25]);
  table.see(1, [5, 7], [0.1, 0.9]);
  assert.deepEqual(of(1)?.get(5)?.toFixed(6), "0.300000");
  assert.deepEqual(of(1)?.get(7)?.toFixed(6), "0.450000", "the least share gave way");
  for (let key = 2; key < 40; key++) {
    table.see(1, [5], [1]);
    table.see(key, [key], [1]);
  }
  assert.ok(of(1) !== undefined && of(39) !== undefined, "what is seen again and again stays");
  assert.equal(Array.from({ length: 40 }, (_, key) => of(key)).filter(Boolean).length, 8);
  assert.ok(table.bytes < 300);
  assert.notEqual(contextKey(1, 2), contextKey(2, 1));
  assert.notEqual(contextKey(1), contextKey(1, 0));
});

test("phrases take no more than their bound, whatever comes; those that are there stay", () => {
  const phrases = new Phrases(16, 64);
  const phrase = Int32Array.from({ length: 16 }, (_, i) => i);
  for (let before = 0; before < 20_000; before++) phrases.add(before, phrase);
  assert.ok(phrases.bytes <= 24 * 2 ** 20, `${phrases.bytes}`);
  assert.equal(phrases.after(7).length, 1);
  assert.deepEqual(phrases.after(19_999), []);
});
