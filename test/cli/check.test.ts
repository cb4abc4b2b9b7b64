// hunch check: what a table says, exit codes, a stranger's rule.
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, hunch, TINY } from "./support/cli.ts";

const CAREFUL = `export default {
  kind: "rule", name: "mine", summary: "the target draws for itself",
  create: () => ({
    name: "mine", lossless: true, laws: ["iid"],
    verify: (tree, scores, chance) => ({ path: new Int32Array(0), next: chance.pick(scores.distribution(0)) }),
  }),
};`;
const CARELESS = CAREFUL.replace("chance.pick(scores.distribution(0))", "scores.argmax(0)");

test("a rule is proved law by law, and the exit code is 0", async () => {
  const { code, stdout, stderr } = await hunch(["check", "token", "--quick", "--law", "iid", "--law", "point"]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0], /^rule\s+law\s+cases\s+worst TV\s+accepted\s+first\s+bound\s+gap$/);
  assert.equal(lines.length, 3);
  assert.match(stdout, /token\s+iid\s+lossless/);
});

test("a stranger's rule is proved the same way, and one that is wrong is refuted with a small case", async () => {
  const good = await hunch(["check", "mine", "--quick", "--plugin", file("good.ts", CAREFUL)]);
  assert.equal(good.code, 0, good.stderr);
  const bad = await hunch(["check", "mine", "--quick", "--plugin", file("bad.ts", CARELESS)]);
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
  const { code, stdout, stderr } = await hunch(["check", "mine", "--quick", "--plugin", file("dice.ts", dice)]);
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
  const grown = await hunch(["check", "match", "--shape", "dice", "--plugin", shape]);
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
  const { code, stderr } = await hunch(args);
  assert.equal(code, 3, stderr);
  assert.match(
    stderr,
    /did not end within 0\.5 s: mine, law iid, random, tokens 0 … 2, places of the draft: d0 under root/,
  );
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
