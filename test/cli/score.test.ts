// hunch score: texts and ids to likelihoods.
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSafetensors, safeFloats } from "../../src/model/files/safetensors.ts";
import { because } from "../support/skip.ts";
import { file, FOLDER, hunch, hunchProcess, TINY } from "./support/cli.ts";

const TEXT = "Once upon a time there was a dog.";

test("a text from the argument, a file, stdin and as ids has the same scores", async () => {
  const [argument, fromFile, stdin] = await Promise.all([
    hunch(["score", TEXT, ...TINY, "--json"], { input: "not read" }),
    hunch(["score", "--file", file("story.txt", `${TEXT}\n`), ...TINY, "--json"]),
    hunchProcess(["score", ...TINY, "--json"], { input: `${TEXT}\n` }),
  ]);
  assert.equal(argument.code, 0, argument.stderr);
  const found = JSON.parse(argument.stdout);
  const ids = await hunch(["score", "--ids", found.tokens.join(","), ...TINY, "--json"]);
  for (const { stdout } of [fromFile, stdin, ids]) assert.deepEqual(JSON.parse(stdout), found);
  assert.equal(found.pieces.join(""), `<s> ${TEXT}`);
  assert.equal(found.logProbabilities[0], null);
  assert.equal(found.scored, found.tokens.length - 1);
  const total = found.logProbabilities.slice(1).reduce((sum: number, value: number) => sum + value, 0);
  assert.ok(Math.abs(found.total - total) < 1e-9);
  assert.ok(Math.abs(found.perplexity - Math.exp(-total / found.scored)) < 1e-9);
});

test("people get a line per token, with the likeliest on request, and the total", async () => {
  const { code, stdout } = await hunch(["score", "Once upon", "--top", "2", ...TINY]);
  assert.equal(code, 0);
  assert.match(stdout, /\n +403 +" Once" +-0\.2437 +1 +" Once" -0\.2437 +" One" -1\.8610\n/);
  assert.match(stdout, /\ntotal -0\.\d{4} over 2 of 3 tokens, 0\.\d{4} nats per token, perplexity 1\.\d{4}\n$/);
});

test("--logits writes what the scores were made of, and nothing else is left", async () => {
  const path = join(FOLDER, "logits.safetensors");
  const { code, stdout, stderr } = await hunch(["score", TEXT, "--logits", path, "--window", "6", "--json", ...TINY]);
  assert.equal(code, 0, stderr);
  const { tokens, logProbabilities } = JSON.parse(stdout);
  const { file: opened, tensors } = readSafetensors(path);
  assert.deepEqual(tensors.get("logits")!.shape, [tokens.length, 512]);
  assert.deepEqual([...safeFloats(tensors.get("input_ids")!)], tokens);
  const logits = safeFloats(tensors.get("logits")!);
  for (let row = 0; row + 1 < tokens.length; row++) {
    const own = logits.subarray(row * 512, (row + 1) * 512);
    const sum = Math.log(own.reduce((all, logit) => all + Math.exp(logit), 0));
    if ((row + 1) % 6 === 0) assert.equal(logProbabilities[row + 1], null);
    else assert.ok(Math.abs(own[tokens[row + 1]] - sum - logProbabilities[row + 1]) < 1e-5);
  }
  opened.close();
  const missing = await hunch(["score", TEXT, "--logits", join(FOLDER, "no", "folder"), ...TINY]);
  assert.equal(missing.code, 2);
  const tooLong = join(FOLDER, "long.safetensors");
  assert.equal((await hunch(["score", "Tom. ".repeat(400), "--logits", tooLong, ...TINY])).code, 3);
  assert.ok(!existsSync(tooLong));
  assert.deepEqual(readdirSync(FOLDER).filter((name) => name.endsWith(".tmp")), []);
});

test("--jsonl answers every line, and tells what is wrong with its number", async () => {
  const input = [
    JSON.stringify(TEXT),
    '{"id": "ids", "ids": [1, 403, 407], "top": 1}',
    "",
    '{"id": 3, "ids": [1, 600]}',
    "[",
    '{"text": "Tom", "windw": 3}',
    '{"text": "Tom", "ids": [1]}',
    '{"text": ""}',
    '{"text": "Once upon a time", "window": 2, "source": "elsewhere"}',
  ].join("\n");
  const { code, stdout, stderr } = await hunch(["score", "--jsonl", ...TINY], { input });
  assert.equal(code, 5, stderr);
  const results = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(results.map(({ line }) => line), [1, 2, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(results.filter(({ error }) => error).map(({ line }) => line), [4, 5, 6, 7]);
  assert.equal(results[1].id, "ids");
  assert.deepEqual(results[1].top[1].map(({ token }: { token: number }) => token), [403]);
  assert.equal(results[2].id, 3);
  assert.match(results[4].error.message, /windw.*did you mean window/);
  assert.equal(results[6].scored, 0);
  assert.deepEqual(results[7].ranks.map((rank: number | null) => rank === null), [true, false, true, false, true]);
  assert.match(stderr, /^hunch: line 4: token 600/);
});

test("what does not go together or is no id is refused in one line", async () => {
  for (
    const [args, pattern] of [
      [["a", "--ids", "1"], /a TEXT argument and --ids do not go together/],
      [["--ids", "1,x"], /"x" is no token id/],
      [["--ids", ","], /--ids has no ids/],
      [["--jsonl", "--json"], /--jsonl and --json/],
      [["--jsonl", "a"], /--jsonl takes its texts from stdin/],
    ] as const
  ) {
    const { code, stderr } = await hunch(["score", ...args, ...TINY]);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  }
});

test("a converted model scores, answers and is told of like its original", async () => {
  const out = join(FOLDER, "stories.hunch");
  const model = TINY[1];
  const converted = await hunch(["model", "convert", out, "--format", "float32", "--model", model]);
  assert.equal(converted.code, 0, converted.stderr);
  assert.match(converted.stderr, /stories\.hunch: stories260K in float32, [\d.]+ MB/);
  const [ours, theirs, info, answer, original, wrong] = await Promise.all([
    hunch(["score", TEXT, "--model", out, "--json"]),
    hunch(["score", TEXT, "--model", model, "--format", "float32", "--json"]),
    hunch(["model", "info", out]),
    hunch(["--raw", TEXT, "--model", out, "-n", "12"]),
    hunch(["--raw", TEXT, "--model", model, "--format", "float32", "-n", "12"]),
    hunch(["score", TEXT, "--model", out, "--format", "exact"]),
  ]);
  assert.equal(ours.code, 0, ours.stderr);
  assert.deepEqual(JSON.parse(ours.stdout).logProbabilities, JSON.parse(theirs.stdout).logProbabilities);
  assert.match(info.stdout, /stories\.hunch \(hunch, /);
  assert.equal(answer.stdout, original.stdout);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /holds the weights in float32 only/);
});

test("--context decides the rotation of models for which it depends on the length of the text", async () => {
  const folder = join(FOLDER, "stretched");
  const tiny = fileURLToPath(new URL("../fixtures/tiny/llama", import.meta.url));
  cpSync(tiny, folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(tiny, "config.json"), "utf8"));
  const rope = { ...config.rope_parameters, rope_type: "dynamic", factor: 2 };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, rope_parameters: rope }));
  const ids = Array.from({ length: 300 }, (_, i) => i * 7 % 256).join();
  const model = ["--model", folder, "--backend", "onnx", "--format", "float32", "--json"];
  const out = join(FOLDER, "stretched.hunch");
  const [short, long, refused, made] = await Promise.all([
    hunch(["score", "--ids", ids.slice(0, 80), ...model]),
    hunch(["score", "--ids", ids, ...model, "--context", "400"]),
    hunch(["score", "--ids", ids, ...model]),
    hunch(["model", "convert", out, "--model", folder, "--format", "float32", "--context", "400"]),
  ]);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /300 tokens do not fit the context of 256/);
  assert.equal(made.code, 0, made.stderr);
  const { pieces, logProbabilities, scored } = JSON.parse(long.stdout);
  assert.equal(pieces, undefined);
  assert.equal(scored, 299);
  assert.notEqual(logProbabilities[9], JSON.parse(short.stdout).logProbabilities[9]);
  const converted = await hunch(["score", "--ids", ids, "--model", out, "--json"]);
  assert.deepEqual(JSON.parse(converted.stdout).logProbabilities, logProbabilities);
});

test("a line of --jsonl that is no text fails alone", async () => {
  const input = Buffer.concat([
    Buffer.from('"Tom ran."\n'),
    Buffer.from([34, 0xff, 34, 10]),
    Buffer.from('"Lily ran."'),
  ]);
  const { code, stdout } = await hunch(["score", "--jsonl", ...TINY], { input });
  const results = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(code, 5);
  assert.deepEqual(results.map(({ line, error }) => [line, error?.kind]), [[1, undefined], [2, "input"], [
    3,
    undefined,
  ]]);
});

test("--logits follows a link, writes through a pipe, and refuses a folder without a trace", {
  skip: process.platform === "win32" ? because("Windows has no such files") : false,
}, async () => {
  const folder = join(FOLDER, "logits");
  mkdirSync(join(folder, "folder"), { recursive: true });
  writeFileSync(join(folder, "target"), "before", { mode: 0o640 });
  symlinkSync("target", join(folder, "link"));
  const write = (name: string) => hunch(["score", TEXT, "--logits", name, ...TINY]);
  const [link, pipe, refused] = await Promise.all([
    write(join(folder, "link")),
    hunchProcess(["score", TEXT, "--logits", "/dev/stdout", "--json", ...TINY]),
    write(join(folder, "folder")),
  ]);
  assert.equal(link.code, 0, link.stderr);
  assert.ok(lstatSync(join(folder, "link")).isSymbolicLink());
  assert.equal(statSync(join(folder, "target")).mode & 0o777, 0o640);
  assert.ok(statSync(join(folder, "target")).size > 1000);
  assert.equal(pipe.code, 0, pipe.stderr);
  assert.ok(pipe.stdout.includes('"input_ids"') && pipe.stdout.endsWith("}\n"));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /^hunch: this cannot be written: this is a folder/);
  assert.deepEqual(readdirSync(folder).sort(), ["folder", "link", "target"]);
});
