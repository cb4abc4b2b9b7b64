// Model files as people have them: what is odd in them is told by name, and what can be used is used.
import assert from "node:assert/strict";
import { test } from "node:test";
import { file, hunch, TINY } from "./support/cli.ts";
import { stories } from "./support/stories.ts";
import { value } from "../model/support/gguf-writer.ts";

const reference = (path: string) => ["--model", path, "--backend", "reference"];
const PROMPT = ["--raw", "Once upon a time", "-n", "12"];

test("a model with a number that is no number is refused by every command, with its file", async () => {
  const path = file("broken.gguf", stories({ broken: { at: 400 * 64 + 3, value: NaN } }));
  const input = '"Tom"\n"Lily"\n';
  for (const model of [reference(path), ["--model", path, "--backend", "onnx", "--format", "float32"]]) {
    const ended = await Promise.all([
      hunch([...model, ...PROMPT]),
      hunch([...model, ...PROMPT, "-t", "1", "--json"]),
      hunch(["score", "Once upon a time", ...model]),
      hunch([...model, "--jsonl"], { input }),
      hunch([...TINY, ...PROMPT, "-d", `model:${path}`]),
    ]);
    ended.forEach(({ code, stdout, stderr }, i) => {
      assert.match(stderr, /^hunch: .*(scores are not finite|weight that is not a finite).*broken\.gguf/);
      const lines = i === 3 && model.includes("reference"); // found when the first line is answered, not before
      assert.equal(code, lines ? 5 : 3, stderr);
      assert.equal(stdout.match(/not finite/g)?.length, lines ? 2 : undefined);
    });
  }
});

test("a draft model with padding behind the target's vocabulary drafts, and changes no byte", async () => {
  const padded = file("padded.gguf", stories({ padding: 8 }));
  const run = (model: readonly string[], ...more: string[]) =>
    hunch([...model, ...PROMPT, "--json", "--controller", "fixed?nodes=3", ...more]);
  for (const sampling of [[], ["-t", "0.9", "--seed", "5"]]) {
    const [plain, longer, shorter] = await Promise.all([
      run(TINY, ...sampling, "-d", "none"),
      run(TINY, ...sampling, "-d", `model:${padded}`),
      run(reference(padded), ...sampling, "-d", `model:${TINY[1]}`),
    ]);
    for (const { code, stdout, stderr } of [longer, shorter]) {
      assert.equal(code, 0, stderr);
      const { text, stats } = JSON.parse(stdout);
      if (stdout === longer.stdout || sampling.length === 0) assert.equal(text, JSON.parse(plain.stdout).text);
      assert.ok(stats.accepted > 4, `${stats.accepted} accepted`);
    }
  }
});

test("marks of a template that the vocabulary has as normal text are named", async () => {
  const template = "{% for m in messages %}<|user|>{{ m.content }}</s>{% endfor %}<|assistant|>";
  const names = ["<|user|>", "<|assistant|>"];
  const chat = { "tokenizer.chat_template": value.text(template) };
  const model = (type: number) => file(`typed-${type}.gguf`, stories({ entries: chat, extra: { names, type } }));
  const [wrong, right] = await Promise.all(
    [1, 3].map((type) => hunch([...reference(model(type)), "hi", "-n", "1", "--json"])),
  );
  assert.equal(wrong.code, 0, wrong.stderr);
  assert.match(wrong.stderr, /^hunch: the chat template writes tokens .*: "<\|user\|>", "<\|assistant\|>" \(/);
  assert.equal(wrong.stderr.trimEnd().split("\n").length, 1);
  assert.equal(right.stderr, "");
  assert.ok(JSON.parse(wrong.stdout).stats.promptTokens > JSON.parse(right.stdout).stats.promptTokens + 10);
});

test("an end or unknown token that the vocabulary does not have is told and left out", async () => {
  const ids = { eos_token_id: 32000, unknown_token_id: 4294967295, eot_token_id: 512 };
  const entries = Object.fromEntries(
    Object.entries(ids).map(([name, id]) => [`tokenizer.ggml.${name}`, value.u32(id)]),
  );
  const { code, stdout, stderr } = await hunch([...reference(file("ids.gguf", stories({ entries }))), ...PROMPT]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, (await hunch([...TINY, ...PROMPT])).stdout);
  for (const [name, id] of Object.entries(ids)) {
    assert.match(stderr, new RegExp(`token ${id} is not in the vocabulary of 512 .*tokenizer.ggml.${name}`));
  }
});
