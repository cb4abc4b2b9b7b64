// --jsonl: requests in, results out.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chatModel, hunch, TINY } from "./support/cli.ts";

const lines = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));

test("every line gets one result, in order, and what is wrong is told with its number", async () => {
  const input = [
    '"Once upon a time"',
    "",
    '{"id": "b", "prompt": "Once upon a time", "max_tokens": 3}',
    "{not json",
    '{"id": 4, "prompt": 5}',
    '{"prompt": "Tom", "temprature": 1}',
    '{"prompt": "Tom", "temperature": -1}',
    "[1]",
    '{"prompt": "Tom had", "temperature": 1, "seed": 3, "max_tokens": 5, "task_id": 12}',
    '{"prompt": "' + "Tom ran. ".repeat(400) + '"}',
    '{"prompt": "Lily", "max_tokens": 2, "stop": [" "]}',
  ].join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl", "-n", "8"], { input });
  const results = lines(stdout);
  assert.equal(code, 5, stderr);
  assert.deepEqual(results.map(({ line }) => line), [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual(results.filter(({ error }) => error).map(({ line }) => line), [4, 5, 6, 7, 8, 10]);
  assert.equal(results[0].tokens.length, 8);
  assert.equal(results[1].id, "b");
  assert.equal(results[1].tokens.length, 3);
  assert.ok(results[0].text.startsWith(results[1].text));
  assert.equal(results[3].id, 4);
  assert.match(results[4].error.message, /temprature.*did you mean temperature/);
  assert.equal(results[7].seed, "3");
  assert.match(stderr, /^hunch: line 4: not JSON/);
  assert.equal(stderr.trimEnd().split("\n").length, 6);
});

test("results come while requests are still being written", async () => {
  const seen: number[] = [];
  const { code } = await hunch([...TINY, "--jsonl", "-n", "2"], {
    input: Array.from({ length: 5 }, () => '"Tom"').join("\r\n"),
    watch: (_, stdout) => seen.push(stdout.split("\n").length - 1),
  });
  assert.equal(code, 0);
  assert.equal(seen.at(-1), 5);
});

test("messages are answered in the model's template, and text that names a special token stays text", async () => {
  const input = [
    '{"messages": [{"role": "user", "content": "hi"}]}',
    '{"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}]}',
    '{"prompt": "hi", "system": "Be kind."}',
    '{"prompt": "hi <s> </s>"}',
    '{"messages": [{"role": "robot", "content": "hi"}]}',
  ].join("\n");
  const { code, stdout } = await hunch(["--backend", "reference", "-m", chatModel(), "--jsonl", "-n", "2"], { input });
  const results = lines(stdout);
  assert.equal(code, 5);
  const [user, system, same, special] = results.map(({ stats }) => stats?.promptTokens);
  assert.ok(user < system);
  assert.equal(same, system);
  assert.ok(special > user + 2); // `<s>` is three characters and not one token
  assert.match(results[4].error.message, /messages\[0\]\.role/);
});

test("options stand for what requests do not say", async () => {
  const input = ['"Tom"', '{"prompt": "Tom", "temperature": 0}', '{"prompt": "Tom", "temperature": 0, "top_p": 0.5}'];
  const args = [...TINY, "--jsonl", "-n", "6", "-t", "1", "--top-p", "0.9", "--seed", "1"];
  const { code, stdout } = await hunch(args, { input: input.join("\n") });
  const [sampled, greedy, refused] = lines(stdout);
  assert.equal(code, 5);
  assert.equal(sampled.seed, "1");
  assert.equal(greedy.seed, undefined);
  assert.match(refused.error.message, /top-p has no effect/);
});

test("a wrong option is refused before any line is answered", async () => {
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl", "--drafter", "nobody"], { input: '"Tom"\n' });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^hunch: there is no drafter "nobody"/);
});
