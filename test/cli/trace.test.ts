// HUNCH_TRACE: what each round and each pass did, on stderr, and the same answer on stdout.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hunch, QUICK, STORIES, STORIES_DRAFT } from "./support/cli.ts";

const PROMPT = "Once upon a time, Tom and Lily went to the park. Tom";
const ARGS = ["-m", STORIES, ...QUICK, "-d", `model:${STORIES_DRAFT}`, "--controller", "fixed?nodes=4&depth=4"];

test("every round tells plan, draft, verdict and times, every pass its shapes, and the answer is the same", async () => {
  const args = [...ARGS, "-n", "12", "--json", PROMPT];
  const [silent, traced] = [await hunch(args), await hunch(args, { env: { HUNCH_TRACE: "1" } })];
  assert.deepEqual([silent.code, silent.stderr, traced.code], [0, "", 0]);
  const { tokens, stats } = JSON.parse(traced.stdout);
  assert.deepEqual(tokens, JSON.parse(silent.stdout).tokens);

  const lines = traced.stderr.trimEnd().split("\n");
  const rounds = lines.filter((line) => line.startsWith("round after "));
  assert.equal(rounds.length, stats.rounds);
  assert.match(rounds[0], /^round after 287 "om": planned 4 nodes, 4 deep; drafted 4 \(point\) in \d+\.\d\d ms$/);
  const verdicts = lines.flatMap((line) => /^ {2}accepted (\d+), then (\d+) "/.exec(line)?.slice(1).map(Number) ?? []);
  const accepted = lines.filter((line) => /^ +● \d+ "/.test(line)).map((line) => Number(/\d+/.exec(line)));
  assert.equal(accepted.length, stats.accepted);
  assert.equal(verdicts.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b), stats.accepted);
  assert.ok(accepted.length > 2);
  for (const token of accepted) assert.ok(tokens.includes(token));
  const passes = lines.filter((line) => line.startsWith("  pass of onnx:cpu: "));
  assert.match(passes[0], /chain \[19, 64\] after 0 tokens → logits \[1, 512\], asked for argmax: \d+\.\d\d ms$/);
  assert.ok(passes.some((line) => line.includes("chain [5, 64] after 19 tokens → logits [5, 512]")));
});
