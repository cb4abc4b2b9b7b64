// The commands beside answering: models, the cache, help, completion, version.
import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { file, FOLDER, hunch, STORIES } from "./support/cli.ts";

test("the version, the help and the exit codes are told on stdout", async () => {
  const [version, help, generate] = await Promise.all([
    hunch(["--version"]),
    hunch(["--help"]),
    hunch(["help", "generate"]),
  ]);
  assert.match(version.stdout, /^hunch \d+\.\d+\.\d+\n$/);
  for (const { code, stderr } of [version, help, generate]) assert.deepEqual([code, stderr], [0, ""]);
  assert.match(help.stdout, /Exit codes:[^]*130 Ctrl-C/);
  assert.match(generate.stdout, /--repetition-penalty/);
});

test("shells are told commands, and options of a bare prompt as well", async () => {
  const complete = async (...words: string[]) => (await hunch(["completion", "bash", ...words])).stdout;
  const [script, commands, bare, values] = await Promise.all([
    complete(),
    complete("mo"),
    complete("--tem"),
    complete("why", "--format", "in"),
  ]);
  assert.match(script, /complete/);
  assert.match(commands, /model/);
  assert.match(bare, /--temperature/);
  assert.match(values, /int8/);
});

test("hunch model info tells what a file is, for people and for programs", async () => {
  const [text, json] = await Promise.all([
    hunch(["model", "info", STORIES]),
    hunch(["model", "info", STORIES, "--json", "--tensors"]),
  ]);
  assert.match(text.stdout, /architecture +llama\n/);
  const facts = JSON.parse(json.stdout);
  assert.equal(facts.vocabulary, 512);
  assert.equal(facts.chatTemplate, false);
  assert.ok(facts.tensors.some(({ name }: { name: string }) => name === "embed.weight"));
});

test("models in $HUNCH_MODELS are listed and can be named", async () => {
  const folder = join(FOLDER, "my models");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Stories.gguf"), readFileSync(STORIES));
  const env = { HUNCH_MODELS: folder };
  const args = ["--backend", "reference", "Tom", "-n", "2"];
  const [list, named, mistyped] = await Promise.all([
    hunch(["model", "list", "--json"], { env }),
    hunch(["-m", "stories", ...args], { env }),
    hunch(["-m", "storeis", ...args], { env }),
  ]);
  assert.ok(JSON.parse(list.stdout).some(({ name }: { name: string }) => name === "Stories"));
  assert.equal(named.code, 0, named.stderr);
  assert.equal(mistyped.code, 3);
  assert.match(mistyped.stderr, /did you mean Stories\?/);
});

test("hunch model quality puts the formats side by side", async () => {
  const text = file("text.txt", "Once upon a time there was a little girl. She was happy.");
  const args = ["model", "quality", STORIES, "--backend", "reference", "--text", text, "--format", "float32", "--json"];
  const { code, stdout, stderr } = await hunch(args);
  assert.equal(code, 0, stderr);
  const { formats: [{ format, perplexity, divergence, sameToken }] } = JSON.parse(stdout);
  assert.equal(format, "float32");
  assert.ok(perplexity > 1 && perplexity < 100, String(perplexity));
  assert.equal(divergence, 0);
  assert.equal(sameToken, 1);
});

test("the cache is listed, limited and emptied, and no other folder is", async () => {
  const cache = join(FOLDER, "own cache");
  const env = { HUNCH_CACHE: cache };
  assert.equal((await hunch(["cache"], { env })).code, 0);
  mkdirSync(join(cache, "models"), { recursive: true });
  writeFileSync(join(cache, "models", "a"), new Uint8Array(2000));
  const listed = JSON.parse((await hunch(["cache", "list", "--json"], { env })).stdout);
  assert.deepEqual([listed.bytes, listed.entries[0].name], [2000, "models/a"]);
  assert.equal((await hunch(["cache", "limit", "3MB"], { env })).stdout, "3.0 MB\n");
  assert.equal((await hunch(["cache", "limit", "much"], { env })).code, 2);
  assert.match((await hunch(["cache", "clear"], { env })).stdout, /^2\.0 kB removed/);
  assert.equal(JSON.parse((await hunch(["cache", "--json"], { env })).stdout).limit, 3e6);
  const precious = join(FOLDER, "precious");
  mkdirSync(precious, { recursive: true });
  writeFileSync(join(precious, "letter"), "dear");
  const refused = await hunch(["cache", "clear"], { env: { HUNCH_CACHE: precious } });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /was not made by hunch/);
  assert.equal(readFileSync(join(precious, "letter"), "utf8"), "dear");
});
