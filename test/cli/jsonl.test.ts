// --jsonl: requests in, results out.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chatModel, file, hunch, hunchProcess, QUICK, STORIES_DRAFT, TINY } from "./support/cli.ts";

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
  assert.match(stderr, /\nhunch: line 9: not obeyed, here or in later lines: "task_id"\n/);
  assert.equal(stderr.trimEnd().split("\n").length, 7);
});

test("results come while requests are still being written", async () => {
  const seen: number[] = [];
  const { code } = await hunchProcess([...TINY, "--jsonl", "-n", "2"], {
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
  assert.match(refused.error.message, /^top_p has no effect/);
});

test("a wrong option is refused before any line is answered", async () => {
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl", "--drafter", "nobody"], { input: '"Tom"\n' });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^hunch: there is no drafter "nobody"/);
});

test("numbers at the ends of their ranges get one result or one error per line", async () => {
  const prompt = '"prompt": "Tom had", "max_tokens": 3';
  const good = [
    '"temperature": 1e-30, "seed": 1, "top_p": 0.9',
    '"temperature": 1e30, "seed": 1',
    '"temperature": 0.001, "seed": 1, "repetition_penalty": 0.01',
    '"repetition_penalty": 100',
    '"temperature": 0, "top_p": 1, "top_k": 0, "min_p": 0, "typical": 1',
    '"temperature": null, "top_p": null, "stop": null, "seed": null, "system": null, "raw": null, "messages": null',
  ];
  const bad = [
    '"temperature": 1e-38',
    '"temperature": 1e308',
    '"temperature": 1e-320, "top_k": 5',
    '"temperature": 1, "repetition_penalty": 1e-45',
    '"repetition_penalty": 1e300',
  ];
  const names = [...Array(3).fill("temperature"), "repetition_penalty", "repetition_penalty"];
  const input = [...good, ...bad].map((fields) => `{${prompt}, ${fields}}`).join("\n");
  for (const backend of ["reference", "onnx"]) {
    const { code, stdout, stderr } = await hunch(["-m", TINY[1], "--backend", backend, "--jsonl"], { input });
    assert.equal(code, 5, stderr);
    const results = lines(stdout);
    assert.equal(results.length, good.length + bad.length);
    results.forEach(({ tokens, error }, i) => {
      if (i < good.length) assert.equal(tokens?.length, 3, JSON.stringify(error));
      else assert.ok(error.message.startsWith(`${names[i - good.length]} `), error.message);
      if (i >= good.length) {
        assert.match(error.message, /is out of range; give a number (that is 0 or from 1e-30|from 0\.01)/);
      }
    });
    // A temperature near 0 takes the likeliest token, as temperature 0 does.
    assert.deepEqual(results[0].tokens, results[4].tokens);
  }
  for (
    const [args, says] of [[["-t", "1e-38"], /temperature 1e-38 is out of range/], [
      ["-t", "-1"],
      /out of range/,
    ]] as const
  ) {
    const { code, stderr } = await hunch([...TINY, "Tom", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, says);
  }
});

test("ids and seeds keep their digits", async () => {
  const ids = ["9007199254740993", "9007199254740992", "12345678901234567890", "1.0", "-7", '"x"', "1e3"];
  const seeded = ["9007199254740993", "9007199254740992"].map((seed) =>
    `{"prompt": "Tom", "max_tokens": 8, "temperature": 1.5, "seed": ${seed}}`
  );
  const input = [...ids.map((id) => `{"id": ${id}, "prompt": "Tom", "max_tokens": 1}`), ...seeded].join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 0, stderr);
  const rows = stdout.trimEnd().split("\n");
  ids.forEach((id, i) => assert.ok(rows[i].startsWith(`{"line":${i + 1},"id":${id},`), rows[i].slice(0, 60)));
  const [one, other] = lines(stdout).slice(-2);
  assert.deepEqual([one.seed, other.seed], ["9007199254740993", "9007199254740992"]);
  assert.notDeepEqual(one.tokens, other.tokens);
  const scored = await hunch(["score", ...TINY, "--jsonl"], { input: '{"id": 9007199254740993, "text": "Tom"}\n' });
  assert.ok(scored.stdout.startsWith('{"line":1,"id":9007199254740993,'));
});

test("a request names its own methods, and its text is the same", async () => {
  const prompt = '"prompt": "Once upon a time", "max_tokens": 20';
  const input = [
    `{${prompt}, "drafter": "none"}`,
    `{${prompt}, "drafter": "model:${STORIES_DRAFT}", "controller": "fixed?nodes=3", "rule": "token"}`,
    `{${prompt}}`,
    `{${prompt}, "drafter": "nobody"}`,
    `{${prompt}, "rule": "spechub"}`,
    `{${prompt}, "controller": 5}`,
    `{${prompt}, "drafter": "model:${STORIES_DRAFT}", "controller": "fixed?nodes=3", "n": 2, "tools": [], "user": null}`,
    `{${prompt}, "n": 3}`,
  ].join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 5);
  const results = lines(stdout);
  const methods = results.map(({ stats }) =>
    stats && [stats.method.drafter, stats.method.rule, stats.method.controller]
  );
  assert.deepEqual(methods[0], ["none", "greedy", "cost"]);
  assert.deepEqual(methods[1], ["model", "token", "fixed"]);
  assert.deepEqual(methods[2], ["suffix", "greedy", "cost"]);
  assert.deepEqual(methods[6], ["model", "greedy", "fixed"]);
  assert.ok(results[1].stats.accepted > 3);
  assert.deepEqual(results.flatMap(({ draftEngines }, i) => draftEngines ? [i] : []), [1, 6]);
  for (const { tokens } of [1, 2, 6].map((i) => results[i])) assert.deepEqual(tokens, results[0].tokens);
  assert.match(results[3].error.message, /no drafter "nobody"/);
  assert.match(results[4].error.message, /cannot judge|drafts/);
  assert.match(results[5].error.message, /field controller/);
  assert.match(stderr, /hunch: line 7: not obeyed, here or in later lines: "n", "tools"\n/);
  assert.equal(stderr.match(/not obeyed/g)?.length, 1);
});

test("what a request shares with the one before is computed once, and its answer is that of a fresh start", async () => {
  const story = "Once upon a time there was a dog called Tom. Tom had a red ball and a friend called Lily. ";
  const prompts = ["Tom ran", "Lily said", "Tom ran"].map((end) => story + end);
  const args = ["-m", TINY[1], ...QUICK, "--jsonl", "-n", "16"];
  for (const sampling of [[], ["-t", "0.8", "--seed", "3"]]) {
    const together = await hunch([...args, ...sampling], {
      input: prompts.map((prompt) => JSON.stringify(prompt)).join("\n"),
    });
    const apart = await hunch([...args, ...sampling], { input: JSON.stringify(prompts[1]) });
    const [first, second, third] = lines(together.stdout);
    assert.equal(first.stats.reusedTokens, 0);
    assert.ok(second.stats.reusedTokens > 30, `${second.stats.reusedTokens} of ${second.stats.promptTokens} reused`);
    assert.deepEqual(second.tokens, lines(apart.stdout)[0].tokens);
    assert.deepEqual(third.tokens, first.tokens);
  }
});

test("tokens say how likely they were, the same with and without drafting, as score has it", async () => {
  const request = (drafter: string) => `{"prompt": "Once upon a time", "logprobs": 3, "drafter": "${drafter}"}`;
  for (const backend of ["onnx", "reference"]) {
    const args = ["-m", TINY[1], "--backend", backend, "--threads", "1", "-n", "24", "-t", "0.9", "--seed", "4"];
    const drafters = ["none", `model:${STORIES_DRAFT}`, "lookup?shortest=1"];
    const { code, stdout, stderr } = await hunch([...args, "--jsonl"], { input: drafters.map(request).join("\n") });
    assert.equal(code, 0, stderr);
    const results = lines(stdout);
    const [plain] = results;
    for (const { tokens, logprobs } of results) assert.deepEqual([tokens, logprobs], [plain.tokens, plain.logprobs]);
    const alone = await hunch([...args, "--json", "--logprobs", "3", "Once upon a time"]);
    assert.deepEqual(JSON.parse(alone.stdout).logprobs, plain.logprobs);
    assert.deepEqual(plain.logprobs.map(({ token }: { token: number }) => token), plain.tokens);
    assert.equal(plain.logprobs.map(({ piece }: { piece: string }) => piece).join(""), plain.text);
    assert.equal(plain.logprobs[5].top.length, 3);

    const { tokens: prompt } = JSON.parse(
      (await hunch(["score", "Once upon a time", "--json", ...args.slice(0, 4)])).stdout,
    );
    const ids = [...prompt, ...plain.tokens].join();
    const scored = await hunch(["score", "--ids", ids, "--top", "3", "--json", ...args.slice(0, 4)]);
    const { logProbabilities, top } = JSON.parse(scored.stdout);
    plain.logprobs.forEach(({ logProbability, top: best }: { logProbability: number; top: unknown }, i: number) => {
      assert.equal(logProbability, logProbabilities[prompt.length + i]);
      assert.deepEqual(
        best,
        top[prompt.length + i].map(({ token, piece, logProbability }: Record<string, unknown>) => ({
          token,
          piece,
          logProbability,
        })),
      );
    });
  }
  const refused = await hunch([...TINY, "Tom", "--logprobs", "3"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--logprobs has no place in plain text; add --json/);
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
  const args = [...QUICK, "-m", chatModel(), "--jsonl", "-n", "8"];
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

test("drafters that learn from earlier answers know them in later lines of a batch", async () => {
  const drafters = ["suffix", "recycling", "hierarchy?length=2"];
  const requests = drafters.flatMap((drafter) => {
    const line = { prompt: "Once upon a time", max_tokens: 30, drafter, controller: "fixed?nodes=8&depth=4" };
    return [line, line];
  });
  const input = requests.map((line) => JSON.stringify(line)).join("\n");
  const { code, stdout, stderr } = await hunch([...TINY, "--jsonl"], { input });
  assert.equal(code, 0, stderr);
  const results = lines(stdout);
  drafters.forEach((drafter, i) => {
    const [first, second] = results.slice(2 * i);
    assert.equal(second.text, first.text);
    assert.ok(
      second.stats.passes < 0.8 * first.stats.passes,
      `${drafter}: ${first.stats.passes}, ${second.stats.passes}`,
    );
  });
});
