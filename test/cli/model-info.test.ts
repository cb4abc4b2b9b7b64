// hunch model info: what a file is, what memory it needs, and which engine can do what with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { hunch, STORIES } from "./support/cli.ts";

const tiny = (name: string) => fileURLToPath(new URL(`../fixtures/tiny/${name}`, import.meta.url));

test("tokenizer, memory and every engine's formats are told, for programs and for people", async () => {
  const [json, text] = await Promise.all([
    hunch(["model", "info", STORIES, "--json"]),
    hunch(["model", "info", STORIES]),
  ]);
  assert.equal(json.code, 0, json.stderr);
  const facts = JSON.parse(json.stdout);
  assert.equal(facts.tokenizer, "SentencePiece");
  assert.deepEqual(facts.types, { F32: facts.parameters });
  // 5 layers of 4 heads of 8, keys and values, float32.
  assert.deepEqual(facts.memory, { perToken: 5 * 2 * 4 * 8 * 4, fullContext: 5 * 2 * 4 * 8 * 4 * 512 });
  const onnx = facts.engines.find(({ backend }: { backend: string }) => backend === "onnx");
  assert.deepEqual(onnx.offers.map(({ format }: { format: string }) => format), ["exact", "int8", "float32"]);
  const [exact, int8] = onnx.offers.map(({ bytes }: { bytes: number }) => bytes);
  assert.ok(exact > 3 * facts.parameters && int8 < exact);
  assert.match(text.stdout, /\nonnx int8 +[\d.]+ kB of weights\n/);
  assert.match(text.stdout, /\nreference float32 +[\d.]+ MB of weights\n/);
});

test("a folder without a tokenizer is told of, and a format that does not fit it with the reason", async () => {
  const { code, stdout, stderr } = await hunch(["model", "info", tiny("gpt2")]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /256 tokens, no tokenizer: only ids/);
  assert.match(stdout, /onnx int8 +no: .*its norms subtract a mean/);
});

test("the default model is too large for the reference engine, and the reason is told", async () => {
  const { stdout } = await hunch(["model", "info", "--json"]);
  const { engines, chatTemplate, ends } = JSON.parse(stdout);
  assert.equal(chatTemplate, true);
  assert.ok(ends.includes("<|im_end|>"));
  const reference = engines.find(({ backend }: { backend: string }) => backend === "reference");
  assert.match(reference.offers[0].refusal, /135 million parameters, too many/);
});
