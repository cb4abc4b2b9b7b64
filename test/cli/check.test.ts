// hunch check: what a table says, exit codes, a stranger's rule.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { parseCase } from "../../src/check/case-file.ts";
import { HunchError } from "../../src/errors.ts";
import { file, FOLDER, hunch, hunchProcess, TINY } from "./support/cli.ts";

const CAREFUL = `export default {
  kind: "rule", name: "mine", summary: "the target draws for itself",
  create: () => ({
    name: "mine", lossless: true, laws: ["iid"],
    verify: (tree, scores, chance) => ({ path: new Int32Array(0), next: chance.pick(scores.distribution(0)) }),
  }),
};`;
const CARELESS = CAREFUL.replace("chance.pick(scores.distribution(0))", "scores.argmax(0)");

/** A check of a plugin starts a process that it watches: this is what runs there. */
const watched = (args: readonly string[]) => hunch(args, { env: { HUNCH_CHECK_AT: join(FOLDER, "at") } });

test("a rule is proved law by law, and the exit code is 0", async () => {
  const { code, stdout, stderr } = await hunch(["check", "token", "--quick", "--law", "iid", "--law", "point"]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0], /^rule\s+law\s+cases\s+worst TV\s+accepted\s+first\s+bound\s+gap$/);
  assert.equal(lines.length, 3);
  assert.match(stdout, /token\s+iid\s+lossless/);
});

test("a stranger's rule is proved the same way, and one that is wrong is refuted with a small case", async () => {
  const good = await hunchProcess(["check", "mine", "--quick", "--plugin", file("good.ts", CAREFUL)]);
  assert.equal(good.code, 0, good.stderr);
  const bad = await hunchProcess(["check", "mine", "--quick", "--plugin", file("bad.ts", CARELESS)]);
  assert.equal(bad.code, 6);
  assert.match(bad.stdout, /mine\s+iid\s+REFUTED/);
  assert.match(bad.stdout, /mine is not lossless for the law iid; the smallest case found/);
  assert.match(bad.stdout, /target .*, mine /);
});

test("a rule with chance of its own is told so, whether its sums are right or wrong", async () => {
  const dice = CAREFUL.replace(
    "next: chance.pick(scores.distribution(0))",
    `next: Math.random() < 0.5 ? chance.pick(scores.distribution(0)) : (chance.pick(scores.distribution(0)) + 1) % 2`,
  );
  const { code, stdout, stderr } = await watched(["check", "mine", "--quick", "--plugin", file("dice.ts", dice)]);
  assert.equal(code, 6, stderr);
  assert.match(stdout, /mine\s+iid\s+HIDDEN RANDOMNESS/);
  assert.match(stdout, /mine has hidden randomness \(law iid\): the same chance gave path \[\] and next \d, then path/);
  assert.doesNotMatch(stdout, /not lossless/);
  const shape = file(
    "shape.ts",
    `export default { kind: "shape", name: "dice", summary: "one token, thrown", create: () => ({
      name: "dice", law: "point",
      grow: async () => ({ tokens: Int32Array.of(Math.random() < 0.5 ? 0 : 1), parents: Int32Array.of(-1), law: "point",
        q: () => undefined }) }) };`,
  );
  const grown = await watched(["check", "match", "--shape", "dice", "--plugin", shape]);
  assert.equal(grown.code, 6, grown.stderr);
  assert.match(grown.stdout, /dice with match: hidden randomness: the same chance gave tokens \[\d\] under \[-1\]/);
});

test("a rule that computes for ever is given up, and the case is named", async () => {
  const endless = CAREFUL.replace(
    "verify: (tree, scores, chance) => (",
    "verify: (tree, scores, chance) => { while (true); return (",
  )
    .replace("}),\n  }),", "}); },\n  }),");
  const args = ["check", "mine", "--quick", "--timeout", "0.5", "--plugin", file("endless-rule.ts", endless)];
  const { code, stderr } = await hunchProcess(args);
  assert.equal(code, 3, stderr);
  assert.match(
    stderr,
    /did not end within 0\.5 s: mine, law iid, random, tokens 0 … 2, places of the draft: d0 under root/,
  );
});

test("a failure that is printed can be tried again as a case, and so can one of one's own", async () => {
  const plugin = ["--plugin", file("bad.ts", CARELESS)];
  const { stdout } = await watched(["check", "mine", "--quick", ...plugin]);
  const printed = /as a file for hunch check --case: (.*)/.exec(stdout)![1];
  const again = await watched(["check", "mine", ...plugin, "--case", file("printed.json", printed)]);
  assert.equal(again.code, 6, again.stderr);
  assert.ok(again.stdout.includes(printed), "the case is left as it is");
  const json = await watched(["check", "mine", "--quick", "--json", ...plugin]);
  const { failure } = JSON.parse(json.stdout).rules[0].laws[0];
  assert.equal(
    (await watched(["check", "mine", ...plugin, "--case", file("json.json", JSON.stringify(failure))])).code,
    6,
  );

  const own = { law: "distinct", parents: [-1, -1], p: [0.1, 0.2, 0.7], q: [1, 3e-15, 2e-15] };
  const all = await hunch(["check", "--all", "--case", file("own.json", JSON.stringify(own))]);
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /recursive\s+distinct\s+lossless\s+1 /);
  assert.match(all.stderr, /not checked: k-seq: it does not claim the law distinct/);
  const groups = [{ count: 1, p: 0.5, q: 0.999 }, { count: 2000, p: 0.00025, q: 5e-7 }];
  const wide = file("wide.json", JSON.stringify({ law: "iid", drafts: 2, groups }));
  assert.match((await hunch(["check", "token", "--case", wide])).stdout, /token\s+iid\s+lossless\s+1 /);
});

test("what is wrong with a case is told in one line with its place", async () => {
  const good = { law: "iid", parents: [-1], p: [0.5, 0.5], q: [0.5, 0.5] };
  const [many, wide] = [new Array(12).fill(-1), { law: "iid", drafts: 2, groups: [{ count: 3, p: 1, q: 1 }] }];
  for (
    const [value, line] of [
      ["{", /not JSON: .*case\.json/],
      [[], /a case is an object/],
      [{ ...good, law: "all" }, /the law is one of point, .*field law\)/],
      [{ ...good, parents: [0] }, /field parents\[0\]/],
      [{ ...good, parents: [] }, /field parents\)/],
      [{ ...good, p: [0.5, -1] }, /field p\[1\]\)/],
      [{ ...good, q: [0, 0] }, /all of the row is 0 .*field q\)/],
      [{ ...good, q: undefined }, /field q\)/],
      [{ ...good, q: [1, 1, 1] }, /3 probabilities where there are 2 .*field q\[0\]\)/],
      [{ ...good, p: [[1, 1], [1, 1]] }, /2 rows where there are 3 contexts .*field p\)/],
      [{ ...good, parents: many, p: [1, 1, 1], q: [1, 1, 1] }, /more than 100000 drafts/],
      [{ ...good, sparse: 1 }, /true or false .*field sparse\)/],
      [{ ...good, tree: [] }, /no such field .*field tree\)/],
      [{ ...wide, law: "beam" }, /field law\)/],
      [{ ...wide, drafts: 9 }, /field drafts\)/],
      [{ ...wide, groups: [{ count: 1e9, p: 1, q: 1 }] }, /field groups\[0\]\.count\)/],
      [{ ...wide, groups: [{ count: 3, p: 1, q: "1" }] }, /field groups\[0\]\.q\)/],
      [{ ...wide, groups: [{ count: 3, p: 0, q: 1 }] }, /all of p is 0/],
    ] as const
  ) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    assert.throws(
      () => parseCase(text, "case.json"),
      (error) => error instanceof HunchError && error.kind === "input" && line.test(error.line),
      text,
    );
  }
  const { code, stderr } = await hunch(["check", "token", "--case", file("bad.json", "{}")]);
  assert.equal(code, 3);
  assert.match(stderr, /^hunch: the law is one of .*bad\.json, field law\).*\n$/);
});

test("relaxed rules show their distance, and with --sweep as a function of their options", async () => {
  const { code, stdout } = await hunch(["check", "alignment", "--quick", "--law", "iid", "--sweep", "--json"]);
  assert.equal(code, 0);
  const { rules } = JSON.parse(stdout) as { rules: { rule: string; laws: { perToken: { mean: number } }[] }[] };
  assert.deepEqual(rules.map(({ rule }) => rule), [
    "alignment",
    ...[0.25, 0.5, 2, 4].map((factor) => `alignment?factor=${factor}`),
  ]);
  const distances = rules.map(({ laws }) => laws[0].perToken.mean);
  assert.ok(distances[1] > distances[0] && distances[0] > distances[4]);
});

test("what cannot be checked is said in one line", async () => {
  for (
    const [args, line] of [
      [["check"], /name a rule to check, or --all/],
      [["check", "tokn"], /did you mean token\?/],
      [["check", "k-seq", "--law", "beam"], /k-seq does not claim the law beam/],
      [["check", "reflective"], /cannot be checked on its own: it asks a model/],
    ] as const
  ) {
    const { code, stderr } = await hunch([...args]);
    assert.equal(code, 2);
    assert.match(stderr, line);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  }
});

test("rules are measured on a model's real distributions, beside the bound", async () => {
  const few = ["--places", "2", "--draws", "20", "--law", "iid", "--json", ...TINY];
  const { code, stdout, stderr } = await hunch(["check", "token", "match", "--bound", ...few]);
  assert.equal(code, 0, stderr);
  const { tables: [{ law, bound, rules }] } = JSON.parse(stdout);
  assert.equal(law, "iid");
  assert.equal(bound.length, 8);
  assert.ok(bound.every((value: number, i: number) => value >= (bound[i - 1] ?? 0) - 1e-9 && value <= 1 + 1e-9));
  assert.deepEqual(rules.map(({ rule }: { rule: string }) => rule), ["token", "match"]);

  const drawn = await hunch(["check", "token", "--chi-square", ...few.slice(0, -1 - TINY.length), ...TINY]);
  assert.equal(drawn.code, 0, drawn.stderr);
  assert.match(drawn.stdout, /token\s+iid\s+passes/);
});

test("how far what is said is from the target is printed beside how far chance alone is", async () => {
  const args = ["check", "neighbour", "token", "--chi-square", "--draws", "2000", "--places", "1", "--top-k", "20"];
  const { code, stdout, stderr } = await hunch([...args, "--law", "iid", "--json", ...TINY]);
  assert.equal(code, 0, stderr);
  const { noise, rows: [neighbour, token] } = JSON.parse(stdout);
  assert.ok(noise > 0 && token.distance < 2 * noise, `${noise} ${token.distance}`);
  assert.ok(neighbour.distance > 3 * noise, `${noise} ${neighbour.distance}`);
});

test("a case that is not looked at, wholly or in part, is no success", async () => {
  const wide = file(
    "wide.json",
    '{"law": "distinct", "drafts": 2, "groups": [{"count": 1, "p": 0.5, "q": 0.9}, {"count": 2999, "p": 2e-4, "q": 3e-5}]}',
  );
  const three = file("three.json", '{"law": "top-and-one", "parents": [-1, -1, -1], "p": [5, 3, 2], "q": [1, 2, 3]}');
  const refusals: [string[], RegExp][] = [
    [["optimal-transport", "--case", wide], /cannot be checked on this case: it refuses so many tokens/],
    [["spechub", "--case", three], /cannot be checked on this case: it judges 2 drafts of one place, the case has 3/],
    [["recursive", "--case", three, "--law", "iid"], /three\.json is of the law top-and-one, not iid/],
    [["--shape", "gumbel", "--case", three], /--case is for rules, and --shape does not look at it/],
  ];
  for (const [args, line] of refusals) {
    const { code, stdout, stderr } = await hunch(["check", ...args]);
    assert.equal(code, 2, `${args}: ${stdout}`);
    assert.match(stderr, line);
  }
  const relaxed = await hunch(["check", "typical", "--case", wide]);
  assert.match(relaxed.stdout, /typical +distinct +relaxed +1 +\d\.\de-1 /, relaxed.stderr);
});

test("a drafter of a second model is proved on pairs of vocabularies", async () => {
  const { code, stdout, stderr } = await hunch(["check", "token", "--quick", "-d", "tli", "-d", "slrs?rows=0"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^tli +token +lossless +\d+/m);
  assert.match(stdout, /^slrs\?rows=0 +token +lossless +\d+/m);
});

test("a drafter that says another q than it draws from is refuted", async () => {
  const liar = file(
    "liar.ts",
    `const q = (p: number) => ({ vocab: 2, probabilities: Float64Array.of(p, 1 - p) });
    export default { kind: "drafter", name: "liar", summary: "says 0.2 and draws 0.8", argument: "FILE", create: () => ({
      name: "liar", laws: ["iid"], begin() {}, observe() {},
      draft: (_, chance) => ({ tokens: Int32Array.of(chance.pick(q(0.8))), parents: Int32Array.of(-1), law: "iid",
        q: () => q(0.2) }) }) };`,
  );
  const refuted = await watched(["check", "token", "--quick", "-d", "liar", "--plugin", liar]);
  assert.equal(refuted.code, 6, refuted.stderr);
  assert.match(refuted.stdout, /liar with token: total variation .* on \S+ rows and the vocabularies: /);
});
