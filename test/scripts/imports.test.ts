// The judge of imports, on graphs small enough to see through.
import assert from "node:assert/strict";
import { test } from "node:test";
import { againstOrder, cyclesOf, type Graph, graphOf, importsOf, type Order } from "../../scripts/imports.ts";

const graph = (arrows: Readonly<Record<string, readonly string[]>>): Graph => new Map(Object.entries(arrows));

test("imports of all kinds are seen, relative ones only", () => {
  const text = `
import { a } from "./a.ts";
import type { B } from "../b.ts";
import {
  c,
  type D,
} from './deep/c.ts';
import "./effect.ts";
export * from "./e.ts";
const f = await import("./f.ts");
type G = import("./g.ts").G;
import { join } from "node:path";
import again from "./a.ts";
`;
  assert.deepEqual(importsOf("src/x/file.ts", text), [
    "src/x/a.ts",
    "src/b.ts",
    "src/x/deep/c.ts",
    "src/x/effect.ts",
    "src/x/e.ts",
    "src/x/f.ts",
    "src/x/g.ts",
  ]);
});

test("a graph without a cycle has none, though paths meet", () => {
  assert.deepEqual(cyclesOf(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: ["elsewhere"] })), []);
});

test("two files that import each other's types only are a cycle", () => {
  const files = new Map([
    ["src/a.ts", 'import type { B } from "./b.ts";\n'],
    ["src/b.ts", 'import type { A } from "./a.ts";\n'],
  ]);
  assert.deepEqual(cyclesOf(graphOf(files)), [["src/a.ts", "src/b.ts", "src/a.ts"]]);
});

test("a cycle is told once, from the first of its files back to it, and who leads into it is no part of it", () => {
  assert.deepEqual(cyclesOf(graph({ outside: ["a"], a: ["b"], b: ["c", "end"], c: ["a"], end: [] })), [
    ["a", "b", "c", "a"],
  ]);
});

test("every file on a cycle is told of: cycles that share a file, cycles apart, a file that imports itself", () => {
  const found = cyclesOf(graph({ a: ["b"], b: ["a", "c"], c: ["b"], x: ["y"], y: ["x"], own: ["own"] }));
  assert.deepEqual(found, [["a", "b", "a"], ["c", "b", "c"], ["x", "y", "x"], ["own", "own"]]);
});

const ORDER: Order = [["src/errors.ts"], ["src/math"], ["src"], ["src/draft", "src/model"], ["src/mod.ts"]];

test("imports of one's own room and of rooms below are allowed", () => {
  const good = graph({
    "src/errors.ts": [],
    "src/math/sum.ts": ["src/errors.ts", "src/math/deep/log.ts"],
    "src/math/deep/log.ts": [],
    "src/rule.ts": ["src/tree.ts", "src/math/deep/log.ts"],
    "src/tree.ts": [],
    "src/draft/walk.ts": ["src/rule.ts"],
    "src/mod.ts": ["src/draft/walk.ts", "src/rule.ts"],
    "cli/run.ts": ["src/mod.ts"], // another folder's order
  });
  assert.deepEqual(againstOrder(good, ORDER), []);
});

test("an arrow up is told, and one to a room on the same line", () => {
  const bad = graph({
    "src/math/sum.ts": ["src/rule.ts"],
    "src/rule.ts": ["src/mod.ts", "src/draft/walk.ts"],
    "src/draft/walk.ts": ["src/model/open.ts"],
    "src/model/open.ts": [],
    "src/mod.ts": [],
  });
  assert.deepEqual(againstOrder(bad, ORDER), [
    "src/math/sum.ts imports src/rule.ts: src/math stands below src",
    "src/rule.ts imports src/mod.ts: src stands below src/mod.ts",
    "src/rule.ts imports src/draft/walk.ts: src stands below src/draft",
    "src/draft/walk.ts imports src/model/open.ts: src/draft stands beside src/model",
  ]);
});

test("a folder that nobody gave a place is told, and a name that only begins like a room is not in it", () => {
  assert.deepEqual(againstOrder(graph({ "src/mathematics/sum.ts": [] }), ORDER), [
    "src/mathematics/sum.ts is in no room of the order of src",
  ]);
});
