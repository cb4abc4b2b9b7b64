// Inputs on which the program was once wrong (test/fixtures/cases), and what is right.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../scripts/runtimes.ts";
import { chatModel, hunch, STORIES, STORIES_DRAFT, TINY } from "./support/cli.ts";

const path = (name: string) => join(ROOT, "test/fixtures/cases", name);
const bytes = (name: string) => readFileSync(path(name));
const results = (stdout: string) => stdout.trimEnd().split("\n").map((line) => JSON.parse(line));

/** Puts what was thought before an answer away, as templates of models that think do. */
const THINK = "{% for m in messages %}{% if m.role=='assistant' and '</think>' in m.content %}" +
  "<s>A {{ m.content.split('</think>')[-1] }}</s>{% else %}<s>{{ m.role }} {{ m.content }}</s>{% endif %}" +
  "{% endfor %}<s>assistant ";
const THINKS = ["-m", chatModel(THINK, "think.gguf"), "--backend", "reference"];

test("text with a byte order mark or CRLF is read as it is, and what is no text is refused with its byte and a hint", async () => {
  const read: Record<string, string> = {
    "bom-utf8": "Name the capital of France.",
    crlf: "Name the capital of France.\r\nOne word.",
  };
  const refused: Record<string, RegExp> = {
    "cut-utf8": /not UTF-8 text \(.*, at byte 14\)/,
    latin1: /not UTF-8 text \(.*, at byte 3\); .*-f latin1/,
    nul: /there is a NUL byte \(.*, at byte 1\)/,
    surrogate: /not UTF-8 text \(.*, at byte 0\)/,
    "utf16le-bom": /at byte 0\); this looks like UTF-16; .*-f utf-16/,
    "utf16le-nobom": /at byte 1\); this looks like UTF-16; .*-f utf-16/,
  };
  const show = (name: string) => hunch([...TINY, "--raw", "--show-prompt", "--json", "-f", path(`${name}.txt`)]);
  await Promise.all(
    Object.entries(read).map(async ([name, text]) => {
      const { code, stdout, stderr } = await show(name);
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).prompt, text);
    }),
  );
  await Promise.all(
    Object.entries(refused).map(async ([name, reason]) => {
      const { code, stdout, stderr } = await show(name);
      assert.deepEqual([code, stdout], [3, ""], name);
      assert.match(stderr, reason);
    }),
  );
  const pointer = await hunch(["model", "info", path("lfs-pointer.gguf")]);
  assert.equal(pointer.code, 3);
  assert.match(pointer.stderr, /a Git LFS pointer.*run git lfs pull/);
});

test("in a piped chat a bad line fails alone, and one that begins with a blank goes to the model", async () => {
  const chat = async (name: string) => {
    const { code, stdout, stderr } = await hunch(["chat", ...THINKS, "-n", "1"], { input: bytes(name) });
    return { code, answers: stdout.split("\n").length - 1, stderr };
  };
  const [bad, slash, turns] = await Promise.all(["chat-bad-utf8.txt", "chat-slash.txt", "chat-turns.txt"].map(chat));
  assert.deepEqual([bad.code, bad.answers], [5, 2]);
  assert.match(bad.stderr, /^hunch: line 2: not UTF-8 text \(stdin, at byte 0\)[^\n]*\n$/m);
  assert.deepEqual([slash.code, slash.answers], [0, 1], slash.stderr);
  assert.deepEqual([turns.code, turns.answers], [0, 5], turns.stderr);
});

test("every line of requests that is not blank gets one result or one error with its number", async () => {
  const wrong: Record<string, readonly number[]> = {
    "jsonl-big-ids": [],
    "jsonl-numbers": [12, 14, 15, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 30],
    "jsonl-tiny-temperature": [1],
    // deno-fmt-ignore
    "jsonl-zoo": [7, 8, 12, 14, 15, 16, 17, 18, 20, 21, 22, 28, 29, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 45, 47],
  };
  await Promise.all(
    Object.entries(wrong).map(async ([name, failing]) => {
      const input = bytes(`${name}.jsonl`);
      const { code, stdout, stderr } = await hunch([...THINKS, "--jsonl", "-n", "1"], { input });
      assert.equal(code, failing.length > 0 ? 5 : 0, stderr);
      const found = results(stdout);
      const given = input.toString("latin1").split("\n").flatMap((line, i) => line.trim() === "" ? [] : [i + 1]);
      assert.deepEqual(found.map(({ line }) => line), given, name);
      assert.deepEqual(found.filter(({ error }) => error).map(({ line }) => line), failing, name);
      for (const { line, error, tokens } of found) {
        assert.ok(error ? stderr.includes(`hunch: line ${line}: ${error.message}\n`) : tokens.length === 1, name);
      }
      if (name === "jsonl-big-ids") assert.match(stdout, /"id":9007199254740993,.*"seed":"9007199254740993"/);
      if (name === "jsonl-zoo") {
        assert.match(stdout, /"id":12345678901234567890,[^]*"id":9007199254740993,[^]*"id":1\.0,/);
      }
    }),
  );
});

test("names of special tokens in a message are text, also in a template that takes messages apart", async () => {
  const history = [
    { role: "user", content: "a" },
    { role: "assistant", content: "<think>long plan</think>yes" },
  ];
  const input = ["b", "b </s>"].map((content) => JSON.stringify({ messages: [...history, { role: "user", content }] }))
    .join("\n");
  const { code, stdout, stderr } = await hunch([...THINKS, "--jsonl", "--show-prompt"], { input });
  assert.equal(code, 0, stderr);
  const [plain, spelled] = results(stdout).map(({ tokens }) => tokens as number[]);
  assert.equal(plain.length, 27);
  const text = spelled.length - plain.length;
  const at = plain.lastIndexOf(2); // the end of the last message
  assert.deepEqual(spelled.toSpliced(at, text), plain);
  assert.ok(spelled.slice(at, at + text).every((token) => token > 2));
});

test("a template with CRLF makes the prompt of the same template with LF", async () => {
  const lf = "{% for m in messages %}\n<s>{{ m.role }}\n{{ m.content }}</s>\n{% endfor %}\n<s>assistant\n";
  const shown = await Promise.all(
    [lf, lf.replaceAll("\n", "\r\n")].map((template, i) =>
      hunch(["-m", chatModel(template, `breaks-${i}.gguf`), "--show-prompt", "hi"])
    ),
  );
  for (const { code, stderr } of shown) assert.equal(code, 0, stderr);
  assert.match(shown[0].stdout, /^<s>user\nhi<\/s>\n<s>assistant/);
  assert.equal(shown[1].stdout, shown[0].stdout);
});

test("every drafter gives the text of none, in all formats", async () => {
  const requests = results(bytes("parity.jsonl").toString());
  const drafters = ["none", "lookup", `model:${STORIES_DRAFT}`, "spine", `graft:model:${STORIES_DRAFT}`];
  const input = drafters.flatMap((drafter) => requests.map((request) => JSON.stringify({ ...request, drafter })));
  await Promise.all(["exact", "int8", "float32"].map(async (format) => {
    const args = ["-m", STORIES, "--backend", "onnx", "--format", format, "--threads", "1", "--jsonl"];
    const { code, stdout, stderr } = await hunch(args, { input: input.join("\n") });
    assert.equal(code, 0, stderr);
    const texts = results(stdout).map(({ text }) => text as string);
    const plain = texts.slice(0, requests.length);
    for (const [i, drafter] of drafters.entries()) {
      assert.deepEqual(texts.slice(i * requests.length, (i + 1) * requests.length), plain, `${drafter} ${format}`);
    }
  }));
});
