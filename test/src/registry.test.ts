// Methods by name: specs, options, plugin files, and pairs that cannot be.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtin } from "../../plugins/builtin.ts";
import { closest } from "../../src/suggestion.ts";
import type { Drafter } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { Registry } from "../../src/plugins/registry.ts";
import { definePlugin, type OptionValues, type PluginContext } from "../../src/plugins/plugin.ts";
import { GREEDY } from "../../src/sampling.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { compareVocabularies, refuseOtherVocabulary } from "../../src/draft/vocabulary.ts";
import { TableEngine } from "../support/table-engine.ts";
import { temporaryFolder } from "../support/folder.ts";

const context: PluginContext = {
  target: new TableEngine(),
  loadModel: () => Promise.reject(new Error("not here")),
  resolve: (kind, spec) => registry.resolve(kind, spec, context),
};

let seen: { options: OptionValues; argument: string } | undefined;
const probe = definePlugin({
  kind: "controller",
  name: "probe",
  summary: "remembers how it was made",
  argument: "[WHAT]",
  options: {
    size: { type: "integer", default: 3, min: 1, max: 9, summary: "" },
    scale: { type: "number", default: 0.5, summary: "" },
    fast: { type: "boolean", default: false, summary: "" },
    mode: { type: "string", default: "soft", choices: ["soft", "hard"], summary: "" },
  },
  create(options, argument) {
    seen = { options, argument };
    return { name: "probe", plan: () => ({ nodes: 0, depth: 0 }), observe() {} };
  },
});
const registry = new Registry([...builtin, probe]);

/** The whole line that a person would read. */
async function complaint(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof HunchError) return error.line;
    throw error;
  }
  throw new Error("nothing was refused");
}
const refused = (spec: string) => complaint(() => registry.resolve("controller", spec, context));

test("a spec is a name, an argument and options; parentheses protect what is inside", () => {
  const { name, argument, options } = parseSpec("merge:(lookup?longest=4),(model:a.gguf)?nodes=3&shape=(x?y=1&z=2)");
  assert.equal(name, "merge");
  assert.equal(argument, "(lookup?longest=4),(model:a.gguf)");
  assert.deepEqual([...options], [["nodes", "3"], ["shape", "x?y=1&z=2"]]);
  assert.equal(parseSpec("model:(a.bin?tokenizer=b.bin)?shape=chain").argument, "a.bin?tokenizer=b.bin");
  assert.deepEqual(parseSpec("model:C:\\models\\a.gguf"), {
    name: "model",
    argument: "C:\\models\\a.gguf",
    options: new Map(),
  });
});

test("parentheses are taken off an option as off an argument, one pair at a time", () => {
  const { options } = parseSpec("model:a.gguf?shape=(top-k?widths=4,2,1)&note=(a)(b)&deep=((x?y=1))");
  assert.deepEqual([...options], [["shape", "top-k?widths=4,2,1"], ["note", "(a)(b)"], ["deep", "(x?y=1)"]]);
  const inner = parseSpec(parseSpec("model:a?shape=(target-init?widths=4,2&threshold=0.2)").options.get("shape")!);
  assert.deepEqual([...inner.options], [["widths", "4,2"], ["threshold", "0.2"]]);
});

test("parentheses that do not match are said to", () => {
  for (const text of ["(top-k?widths=4,2,1", "(top-k?widths=4,2,1))", "top-k)"]) {
    assert.throws(() => parseSpec(text), /the parentheses of .* do not match/);
  }
  assert.equal(parseSpec("model:a (1.gguf").argument, "a (1.gguf");
});

test("methods take methods with options of their own", async () => {
  await registry.resolve("drafter", "spine:successors?spine=(lookup?longest=3)&branches=2", context);
  const line = await complaint(() => registry.resolve("drafter", "spine:successors?spine=(lookup?longst=3)", context));
  assert.match(line, /lookup has no option "longst"; did you mean longest\?/);
});

test("options are read by their type, and the rest are defaults", async () => {
  await registry.resolve("controller", "probe:x/y.gguf?size=9&scale=1e-3&fast&mode=hard", context);
  assert.deepEqual(seen, { argument: "x/y.gguf", options: { size: 9, scale: 0.001, fast: true, mode: "hard" } });
  await registry.resolve("controller", "probe", context);
  assert.deepEqual(seen, { argument: "", options: { size: 3, scale: 0.5, fast: false, mode: "soft" } });
});

test("what is wrong with a spec is said in one line with the nearest right thing", async () => {
  assert.match(await refused("prove"), /no controller "prove"; did you mean probe\?/);
  assert.match(await refused("xyz"), /there are cost, marginal, fixed, .*probe/);
  assert.match(await refused("probe?szie=3"), /no option "szie"; did you mean size\?/);
  assert.match(await refused("probe?wholly=3"), /it has size, scale, fast, mode/);
  assert.match(await refused("probe?size=10"), /probe\?size is "10"; give a whole number from 1 to 9/);
  assert.match(await refused("probe?size=2.5"), /whole number/);
  assert.match(await refused("probe?scale="), /give a number/);
  assert.match(await refused("probe?fast=maybe"), /true or false/);
  assert.match(await refused("probe?mode=herd"), /one of soft, hard; did you mean hard\?/);
  assert.match(await refused("probe?size=1&size=2"), /sets size twice/);
  assert.match(await refused(":x"), /names no method/);
  assert.match(await refused("fixed:3"), /takes nothing after a colon/);
  assert.match(await complaint(() => registry.resolve("drafter", "model", context)), /write model:FILE/);
  assert.match(await complaint(() => registry.resolve("drafter", "lookpu", context)), /did you mean lookup/);
});

test("two methods of one kind and name are refused, of two kinds are not", async () => {
  assert.match(await complaint(() => registry.add(probe)), /two controllers called probe/);
  assert.ok(registry.list("drafter").some(({ name }) => name === "model"));
  assert.ok(registry.list("proposer").some(({ name }) => name === "model"));
  assert.ok(registry.list().length > registry.list("rule").length);
});

test("a rule that cannot judge a drafter is refused, naming rules that can", async () => {
  const drafter: Drafter = { name: "beams", laws: ["beam"], begin() {}, observe() {}, draft: () => EMPTY_TREE };
  const [kSeq, match] = [
    await registry.resolve("rule", "k-seq", context),
    await registry.resolve("rule", "match", context),
  ];
  await registry.checkPair(drafter, match, context);
  await registry.checkPair(await registry.resolve("drafter", "none", context), kSeq, context);
  const line = await complaint(() => registry.checkPair(drafter, kSeq, context));
  assert.match(line, /rule k-seq cannot judge drafts of law beam, which beams draws; rules that can: .*match/);
});

test("where the sampling or the shape is the cause, it is named, with what would fit", async () => {
  const silent = { vocab: 2, sync: async () => {}, propose: async () => [] };
  const iid = new ProposedDrafter("model", silent, await registry.resolve("shape", "iid", context));
  const gumbel = new ProposedDrafter("model", silent, await registry.resolve("shape", "gumbel", context));
  const kSeq = await registry.resolve("rule", "k-seq", context);
  const warm = { ...GREEDY, temperature: 0.8 };
  await registry.checkPair(iid, kSeq, context); // some temperature fits
  await registry.checkPair(iid, kSeq, context, warm);
  const cold = await complaint(() => registry.checkPair(iid, kSeq, context, GREEDY));
  assert.doesNotMatch(cold, /target-init/); // relaxed, without a form for temperature 0
  assert.match(
    cold,
    /law point, which model draws with the shape iid at temperature 0; rules that can: greedy, .*; a temperature above 0 would do$/,
  );
  const line = await complaint(() => registry.checkPair(gumbel, kSeq, context, warm));
  assert.match(
    line,
    /law distinct, which model draws with the shape gumbel at temperature 0\.8; rules that can: match,/,
  );
  assert.match(line, /shapes that k-seq can judge: .*\biid\b/);
  assert.doesNotMatch(line, /greedy|sequoia/); // which cannot sample, which draws without replacement
});

test("every built-in method has a name, a summary and defaults within their own limits", () => {
  for (const { name, summary, options = {} } of builtin) {
    assert.ok(summary.length > 10 && summary.length < 100, name);
    for (const [option, { default: value, min = -Infinity, max = Infinity, choices }] of Object.entries(options)) {
      if (typeof value === "number") assert.ok(value >= min && value <= max, `${name}?${option}`);
      if (choices) assert.ok(choices.includes(String(value)));
    }
  }
});

test("a plugin file adds its methods; a broken one is told what it lacks", async () => {
  const folder = temporaryFolder();
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  try {
    const fresh = new Registry(builtin);
    const good =
      `{ kind: "controller", name: "mine", summary: "mine", create: () => ({ name: "mine", plan: () => ({ nodes: 0, depth: 0 }), observe() {} }) }`;
    const loaded = await fresh.load(file("good.ts", `const one: unknown = ${good};\nexport default [one];\n`));
    assert.deepEqual(loaded.map(({ name }) => name), ["mine"]);
    assert.equal((await fresh.resolve("controller", "mine", context)).name, "mine");

    const told = async (name: string, text: string) => await complaint(() => fresh.load(file(name, text)));
    assert.match(await complaint(() => fresh.load(join(folder, "no.ts"))), /no such plugin file \(.*no\.ts\)/);
    assert.match(await told("empty.ts", "export const x = 1;\n"), /no default export/);
    assert.match(
      await told("syntax.ts", "const a = 1;\nexport default {{;\n"),
      /does not load: .+ in `export default \{\{;` \(.*syntax\.ts:2\)/,
    );
    file("part.ts", "let x: number = ;\n");
    assert.match(await told("whole.ts", 'import "./part.ts";\n'), /in `let x: number = ;` \(.*part\.ts:1\)/);
    assert.match(
      await told("throws.ts", "\n\nthrow new Error('no luck');\n"),
      /does not load: no luck in `throw new Error\('no luck'\);` \(.*throws\.ts:3\)/,
    );
    assert.match(
      await told("kind.ts", `export default { kind: "drifter" };\n`),
      /kind is "drifter", not one of drafter/,
    );
    assert.match(await told("name.ts", `export default { kind: "rule", name: "a b" };\n`), /name is "a b"/);
    assert.match(await told("list.ts", `export default [${good}, 3];\n`), /field default\[1\]\.default/);
    assert.match(await told("create.ts", `export default { kind: "rule", name: "a", summary: "" };\n`), /field create/);
    const option = good.replace("create", `options: { n: { type: "integer", default: "3", summary: "" } }, create`);
    assert.match(
      await told("option.ts", `export default ${option};\n`),
      /default is "3", not of type integer .*options\.n/,
    );
    const outside = option.replace('default: "3"', "default: 9, max: 8");
    assert.match(await told("outside.ts", `export default ${outside};\n`), /default is 9, not from -Infinity to 8/);
    const half = option.replace('default: "3"', "default: 0.5");
    assert.match(await told("half.ts", `export default ${half};\n`), /default is 0\.5, not a whole number/);
    assert.match(await told("again.ts", `export default ${good};\n`), /two controllers called mine/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the nearest name is only offered where it is near", () => {
  assert.equal(closest("lokup", ["none", "lookup"]), "lookup");
  assert.equal(closest("Model", ["none", "model"]), "model");
  assert.equal(closest("oen", ["none", "one"]), "one");
  assert.equal(closest("quite-else", ["none", "lookup"]), undefined);
});

test("vocabularies are compared by what tokens stand for, and the first difference is named", () => {
  const tokenizer = (letters: string, ends: number[] = []) => {
    const bytes = [...letters].map((letter) => new TextEncoder().encode(letter));
    return {
      ...new TableEngine({ vocab: letters.length, ends, bytes }).source.tokenizer,
      name: (t: number) => letters[t],
    };
  };
  assert.equal(compareVocabularies(tokenizer("abc"), tokenizer("abc")), undefined);
  assert.equal(compareVocabularies(tokenizer("ab<", [2]), tokenizer("ab>", [2])), undefined);
  assert.equal(
    compareVocabularies(tokenizer("abcd"), tokenizer("axcy")),
    `token 1 is "b" in the target and "x" in the draft`,
  );
  const letters = "abcdefghijklmnop";
  assert.equal(compareVocabularies(tokenizer(letters), tokenizer(letters.slice(0, 14))), undefined);
  assert.equal(compareVocabularies(tokenizer(letters.slice(0, 14)), tokenizer(letters)), undefined);
  assert.match(compareVocabularies(tokenizer("abc"), tokenizer("ab"))!, /target has 3 tokens and the draft 2/);
  const other = new TableEngine({ bytes: Array.from({ length: 20 }, (_, token) => Uint8Array.of(98 + token)) });
  assert.throws(() => refuseOtherVocabulary(new TableEngine().source, other.source), /another vocabulary.*token 0/);
});
