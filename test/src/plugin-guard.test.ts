// Plugins that break their contract: told by name, file and line, in one line, as a fault of the plugin's.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SeededChance } from "../../src/chance.ts";
import { HunchError } from "../../src/errors.ts";
import { Registry } from "../../src/plugins/registry.ts";
import type { Methods, PluginContext } from "../../src/plugins/plugin.ts";
import { GREEDY } from "../../src/sampling.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { TableEngine } from "../support/table-engine.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();

const context: PluginContext = {
  target: new TableEngine(),
  loadModel: () => Promise.reject(new Error("not here")),
  resolve: () => Promise.reject(new Error("not here")),
};
const WHOLE: Record<keyof Methods, string> = {
  drafter: `name: "bad", laws: ["point"], begin() {}, observe() {}, draft() {}`,
  proposer: `vocab: 3, async sync() {}, async propose() { return []; }`,
  shape: `name: "bad", law: "iid", grow() {}`,
  rule: `name: "bad", lossless: true, laws: ["point"], verify() {}`,
  controller: `name: "bad", plan: () => ({ nodes: 1, depth: 1 }), observe() {}`,
  backend: `name: "bad", load() {}`,
};
let files = 0;

/** A plugin called bad that makes what is usual with `over` in place of some members. The line of `over` is 3. */
async function make<K extends keyof Methods>(kind: K, over: string): Promise<Methods[K]> {
  const path = join(folder, `bad${++files}.ts`);
  const create = `() => ({ ${WHOLE[kind]},\n${over} })`;
  writeFileSync(path, `export default {\n  kind: "${kind}", name: "bad", summary: "bad", create: ${create} };\n`);
  const registry = new Registry();
  await registry.load(path);
  return await registry.resolve(kind, "bad", context);
}

async function fault(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof HunchError, String(error));
    assert.equal(error.exitCode, 3);
    return error.line.replace(folder, "");
  }
  throw new Error("nothing was refused");
}
const plan = { nodes: 4, depth: 4 };
const chance = new SeededChance(1);

test("whatever a plugin throws is told with its name, file, line and method", async () => {
  const drafter = await make("drafter", `draft() { throw new Error("no\\nluck"); }`);
  assert.match(
    await fault(() => drafter.draft(plan, chance)),
    /^plugin bad \(\/bad\d+\.ts:3\) failed in draft: no luck$/,
  );
  const rejects = await make("drafter", `async begin() { throw "plain words"; }`);
  assert.match(
    await fault(() => rejects.begin(new Int32Array(1), GREEDY)),
    /^plugin bad \(\/bad\d+\.ts\) failed in begin: plain words$/,
  );
  const getter = await make("drafter", `get shape() { return undefined[0]; }`);
  assert.match(await fault(() => getter.shape), /bad\d+\.ts:3\) failed in shape: /);
  const controller = await make(
    "controller",
    `plan: () => ({ nodes: 1, depth: 1, goOn() { throw new Error("off"); } })`,
  );
  const { goOn } = controller.plan({ length: 1, remaining: 1, cost: () => 1 });
  assert.match(await fault(() => goOn!({ vocab: 1, probabilities: Float64Array.of(1) }, 1)), /failed in goOn: off/);
});

test("what create returns is held to its contract", async () => {
  for (
    const [kind, over, says] of [
      ["drafter", "laws: undefined", /failed in create: laws is missing/],
      ["drafter", `laws: ["pint"]`, /laws is none of point, iid/],
      ["drafter", "draft: 3", /draft is no function/],
      ["drafter", "close: true", /close is no function/],
      ["proposer", "vocab: 0", /vocab is no whole number above 0/],
      ["shape", `law: ["iid"]`, /law is none of/],
      ["shape", "begin: 1", /begin is no function/],
      ["rule", "verifyGreedily: true", /verifyGreedily is no function/],
      ["rule", "laws: []", /laws is an empty list/],
      ["rule", "lossless: undefined", /lossless is missing/],
      ["rule", `greedy: "yes"`, /greedy is neither true nor false/],
      ["controller", "observe: undefined", /observe is missing/],
      ["backend", "name: 7", /name is no text/],
    ] as const
  ) assert.match(await fault(() => make(kind, over)), says);
  const path = join(folder, "nothing.ts");
  writeFileSync(path, `export default { kind: "rule", name: "bad", summary: "", create() {} };\n`);
  const registry = new Registry();
  await registry.load(path);
  assert.match(await fault(() => registry.resolve("rule", "bad", context)), /failed in create: name is missing/);
});

test("answers are held to their types: drafts, verdicts, plans, distributions", async () => {
  const draft = async (body: string) => {
    const drafter = await make("drafter", `draft() { ${body} }`);
    return await fault(() => drafter.draft(plan, chance));
  };
  assert.match(await draft(""), /failed in draft: it gave no draft tree/);
  assert.match(await draft(`return { tokens: [1], parents: [-1], law: "point", q() {} };`), /it gave no draft tree/);
  const one = `tokens: Int32Array.of(1), parents: Int32Array.of(-1)`;
  assert.match(await draft(`return { ${one}, law: "iid", q() {} };`), /has the law iid, where it declares point/);
  const shape = await make("shape", `async grow() { return { ${one}, law: "iid", q() {} }; }`);
  const silent = { vocab: 2, sync: async () => {}, propose: async () => [] };
  assert.match(await fault(() => shape.grow(silent, plan, chance)), /failed in grow: its tree has no q for .* node -1/);

  const verify = async (body: string) => {
    const rule = await make("rule", body);
    return await fault(() => rule.verify(EMPTY_TREE, {} as never, chance));
  };
  assert.match(await verify("async verify() { return 1; }"), /failed in verify: it answered with a promise/);
  assert.match(await verify("verify: () => ({ path: [], next: 1 })"), /no path, an Int32Array/);
  assert.match(await verify("verify: () => ({ path: new Int32Array(0) })"), /no next, a token/);
  const relaxed = await make("rule", "lossless: false, verifyGreedily: () => 1");
  const greedily = () => relaxed.verifyGreedily!(EMPTY_TREE, {} as never);
  assert.match(await fault(greedily), /failed in verifyGreedily: its verdict has no path/);

  const controller = await make("controller", "plan: () => ({ nodes: NaN, depth: 1 })");
  const state = { length: 1, remaining: 1, cost: () => 1 };
  assert.match(await fault(() => controller.plan(state)), /failed in plan: its plan has no nodes and depth/);
  const proposer = await make("proposer", "propose: () => [{ vocab: 3, probabilities: [1, 0, 0] }]");
  const root = { tokens: new Int32Array(0), parents: new Int32Array(0) };
  assert.match(await fault(() => proposer.propose(root)), /failed in propose: it gave no list of distributions/);
});

test("a sound plugin is not disturbed: private fields, getters and what it is given stay as they are", async () => {
  const path = join(folder, "sound.ts");
  writeFileSync(
    path,
    `class Sound { #seen: unknown; readonly name = "sound"; get laws() { return this.#seen ? [] : ["point"]; }
      begin() {} draft() { return { tokens: new Int32Array(0), parents: new Int32Array(0), law: "point", q() {} }; }
      observe(round: unknown) { this.#seen = round; } }
    export default { kind: "drafter", name: "sound", summary: "", create: async () => Object.freeze(new Sound()) };`,
  );
  const registry = new Registry();
  await registry.load(path);
  const drafter = await registry.resolve("drafter", "sound", context);
  assert.deepEqual(drafter.laws, ["point"]);
  assert.equal(drafter.anticipate, undefined);
  assert.equal((await drafter.draft(plan, chance)).tokens.length, 0);
  drafter.observe({} as never);
  assert.deepEqual(drafter.laws, []);
});
