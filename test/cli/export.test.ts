// hunch export: each engine gets what it understands, and what it lacks is said.
import { test } from "node:test";
import assert from "node:assert/strict";
import { TARGETS } from "../../cli/export/engines.ts";
import { portable } from "../../cli/export/portable.ts";
import { hunch, STORIES } from "./support/cli.ts";

const specs = (drafter: string, controller = "fixed?nodes=6", rule = "greedy") => ({
  ...{ drafter, rule, controller },
  lossless: rule !== "typical",
});
const written = (engine: string, drafter: string, controller?: string) => {
  const setting = portable(specs(drafter, controller), undefined, TARGETS[engine]);
  return { text: TARGETS[engine].write("m", setting, 0).join("\n"), notes: setting.notes.join("\n") };
};

const X = { title: "X", ways: ["ngram"], matches: [] } as const;

test("what no engine is told of is said, what is wrong is refused, and nothing to draft is plain decoding", async () => {
  const { text, notes } = written("vllm", "lookup?shortest=2&branches=3");
  assert.match(text, /"prompt_lookup_max":8,"prompt_lookup_min":2/);
  assert.equal(notes, "vLLM is not told of branches=3");
  assert.match(written("llama.cpp", "lookup?shortest=2").notes, /not told of shortest=2/);
  for (const engine of Object.keys(TARGETS)) {
    assert.equal(written(engine, "lookup", "fixed?nodes=0").text, written(engine, "none").text, engine);
  }
  for (
    const [controller, tokens] of [["fixed?nodes=4&depth=0", 4], ["fixed?nodes=2&depth=8", 2], ["fixed", 8]] as const
  ) {
    assert.equal(portable(specs("lookup", controller), undefined, X).tokens, tokens, controller);
  }
  for (
    const wrong of [["-d", "lookup?longest=abc"], ["-d", "lookup?foo=1"], ["-d", "model:"]]
      .concat([["--controller", "junk"], ["--controller", "fixed?nodes=x"]])
  ) {
    const { code, stdout } = await hunch(["export", "vllm", "-m", STORIES, ...wrong]);
    assert.deepEqual([code, stdout], [2, ""], wrong.join(" "));
  }
});

test("vLLM gets its JSON: n-grams, suffixes, or a second model", () => {
  const config = (drafter: string) =>
    JSON.parse(written("vllm", drafter).text.split("--speculative-config ")[1].slice(1, -1)) as unknown;
  assert.deepEqual(config("lookup?longest=3"), {
    method: "ngram",
    num_speculative_tokens: 6,
    prompt_lookup_max: 3,
    prompt_lookup_min: 1,
  });
  assert.deepEqual(config("suffix"), { method: "suffix", num_speculative_tokens: 6 });
  assert.deepEqual(config("model:d.gguf"), { method: "draft_model", model: "d.gguf", num_speculative_tokens: 6 });
  assert.equal(written("vllm", "none").text, "vllm serve m");
});

test("every engine takes every way to draft, or the nearest, and says what it lacks", () => {
  for (const engine of Object.keys(TARGETS)) {
    assert.match(written(engine, "model:d").text, /\bd\b/, engine);
    assert.match(written(engine, "lookup").text, /6/, engine);
    assert.equal(written(engine, "lookup").notes, "", engine);
    assert.match(written(engine, "recycling").notes, /has no drafter recycling; what comes nearest/, engine);
    assert.match(written(engine, "lookup", "cost").notes, /the controller cost decides anew: 5 tokens/, engine);
    assert.match(written(engine, "model:d?shape=opt-tree").notes, /not trees of the shape opt-tree/, engine);
  }
  assert.match(portable(specs("lookup", "cost", "block"), 3, X).notes.join(), /X has no rule block/);
});

test("the command prints a comment for each difference, then what to run", async () => {
  const { code, stdout } = await hunch(["export", "llama.cpp", "-m", STORIES, "--tokens", "7"]);
  assert.equal(code, 0);
  const lines = stdout.trim().split("\n");
  assert.ok(lines.slice(0, -1).every((line) => line.startsWith("# ")));
  const sizes = "--spec-ngram-simple-size-n 8 --spec-ngram-simple-size-m 7";
  assert.equal(lines.at(-1), `llama-server -m ${STORIES} --spec-type ngram-simple ${sizes}`);
  assert.ok(lines.some((line) => /^# written for llama\.cpp b\d+/.test(line)));
  assert.match(lines[0], /^# suffix, greedy, cost, not tuned, for llama\.cpp$/);
});

test("options are those of the versions named: none that was removed, and none left to a default that undoes it", () => {
  assert.match(written("llama.cpp", "model:d").text, /--spec-draft-n-max 6 --spec-draft-n-min 0$/);
  const python = written("transformers", "model:d").text;
  assert.match(python, /assistant_confidence_threshold = 0 /);
  assert.match(python, /assistant_model=assistant, do_sample=False\)$/);
});

test("a relaxed rule is not said to keep the distribution, and a name with a line break ends no comment", async () => {
  const { notes } = portable(specs("lookup", "fixed", "typical"), 3, X);
  assert.match(notes.join(), /typical, which changes what is said/);
  const { stdout } = await hunch(["export", "vllm", "-m", STORIES, "-d", "model:a\nrm -rf b", "--tokens", "3"]);
  assert.ok(!stdout.split("\n").some((line) => line.startsWith("rm")), stdout);
});
