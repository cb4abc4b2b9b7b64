// --jsonl: requests in, results out.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chatModel, file, hunch, TINY } from "./support/cli.ts";

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

test("one line's trouble is one line's: bytes that are no text, a line without end, an answer that fails", async () => {
  const plugin = file(
    "touchy.ts",
    `export default { kind: "drafter", name: "touchy", summary: "fails where a prompt is long", create: () => ({
      name: "touchy", laws: [] as string[], observe() {}, draft() { throw new Error("not asked"); },
      begin(prompt: Int32Array) { if (prompt.length > 30) throw new TypeError("I am touchy"); } }) };`,
  );
  const long = Buffer.alloc(68 * 2 ** 20, "x");
  const input = Buffer.concat([
    Buffer.from('"Tom"\n'),
    Buffer.from([34, 0xff, 34, 10]),
    long,
    Buffer.from('\n"Lily"\n'),
    Buffer.from(`{"id": 5, "prompt": "${"Tom ran. ".repeat(10)}"}\n`),
    Buffer.from('"Tom"'),
  ]);
  const args = [...TINY, "--jsonl", "-n", "2", "--plugin", plugin, "--drafter", "touchy"];
  const { code, stdout, stderr } = await hunch(args, { input });
  const results = lines(stdout);
  assert.equal(code, 5, stderr);
  assert.deepEqual(results.map(({ line, error }) => [line, error !== undefined]), [
    [1, false],
    [2, true],
    [3, true],
    [4, false],
    [5, true],
    [6, false],
  ]);
  assert.match(results[1].error.message, /not UTF-8 text \(stdin, at byte 1\)/);
  assert.match(results[2].error.message, /longer than 67108864 bytes/);
  assert.equal(results[4].id, 5);
  assert.match(results[4].error.message, /I am touchy/);
  assert.equal(results[5].text, results[0].text);
});

test("messages that are too long lose the content of the oldest turns first", async () => {
  const messages = [
    { role: "system", content: "Be kind." },
    ...Array.from({ length: 12 }, (_, i) => [
      { role: "user", content: `Tom ran ${i} times. `.repeat(10) },
      { role: "assistant", content: "Yes." },
    ]).flat(),
    { role: "user", content: "And Lily?" },
  ];
  const args = ["--backend", "reference", "-m", chatModel(), "--jsonl", "-n", "8"];
  const input = JSON.stringify({ messages });
  const [refused, cut] = await Promise.all([
    hunch(args, { input }),
    hunch([...args, "--overflow", "truncate"], { input }),
  ]);
  assert.match(lines(refused.stdout)[0].error.message, /do not fit the context of 512/);
  const [{ stats }] = lines(cut.stdout);
  const kept = stats.promptTokens - stats.droppedTokens;
  assert.ok(kept > 490 && kept <= 504, String(kept));
  assert.match(cut.stderr, /^hunch: line 1: the prompt is too long for the context/);
});
