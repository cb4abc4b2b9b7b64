// The commands beside answering: models, the cache, help, completion, version.
import { test } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { builtin } from "../../plugins/builtin.ts";
import { command, CURRENT, ROOT } from "../../scripts/runtimes.ts";
import { because } from "../support/skip.ts";
import { file, FOLDER, hunch, hunchProcess, STORIES, TINY } from "./support/cli.ts";

test("the version, the help and the exit codes are told on stdout", async () => {
  const [version, help, generate] = await Promise.all([
    hunchProcess(["--version"]),
    hunchProcess(["--help"]),
    hunch(["help", "generate"]),
  ]);
  assert.match(version.stdout, /^hunch \d+\.\d+\.\d+\n$/);
  for (const { code, stderr } of [version, help, generate]) assert.deepEqual([code, stderr], [0, ""]);
  assert.match(help.stdout, /Exit codes:[^]*130 Ctrl-C/);
  assert.match(generate.stdout, /--repetition-penalty/);
});

test("what cannot be written is told in one line, also by --version and --help", {
  skip: process.platform === "linux" ? false : because("/dev/full is Linux's"),
}, () => {
  const [program, ...flags] = [...command(CURRENT), ...CURRENT === "deno" ? ["run", "-A", "--no-check"] : []];
  const line = [program, ...flags, join(ROOT, "cli/main.ts")].map((word) => `'${word}'`).join(" ");
  const env = { PATH: process.env.PATH, HUNCH_CACHE: join(FOLDER, "cache"), DENO_NO_UPDATE_CHECK: "1" };
  const shell = (script: string) => spawnSync("sh", ["-c", script], { env, cwd: FOLDER, encoding: "utf8" });
  for (const args of ["--version", "--help", "model list"]) {
    const full = shell(`${line} ${args} > /dev/full`);
    assert.equal(full.status, 4, args);
    assert.match(full.stderr, /^hunch: no space left on the device[^\n]*\n$/, args);
    const closed = shell(`{ ${line} ${args}; echo "ended with $?" >&2; } | true`);
    assert.equal(closed.stderr, "ended with 0\n", args);
    if (CURRENT === "deno") continue; // it writes files of its own, and dies of that itself
    const limited = shell(`ulimit -f 0; ${line} ${args} > limited`);
    assert.equal(limited.status, 4, args);
    assert.match(limited.stderr, /^hunch: the file grew past the largest size[^\n]*\n$/, args);
  }
});

test("names of models are shown without their control characters, and a split model is one", async () => {
  const folder = join(FOLDER, "odd models");
  mkdirSync(folder, { recursive: true });
  for (const name of ["e\x1b[31mvil.gguf", "big-00001-of-00002.gguf", "big-00002-of-00002.gguf"]) {
    writeFileSync(join(folder, name), new Uint8Array(1000));
  }
  const env = { HUNCH_MODELS: folder };
  const [text, json] = await Promise.all([
    hunch(["model", "list"], { env }),
    hunch(["model", "list", "--json"], { env }),
  ]);
  assert.doesNotMatch(text.stdout, /\x1b/);
  assert.match(text.stdout, /^e␛\[31mvil /m);
  assert.match(text.stdout, /^big +2\.0 kB /m);
  assert.doesNotMatch(text.stdout, /00002-of/);
  const models = JSON.parse(json.stdout) as { name: string; parts?: string[] }[];
  assert.ok(models.some(({ name }) => name === "e\x1b[31mvil"));
  assert.equal(models.find(({ name }) => name === "big")?.parts?.length, 1);
});

test("more threads than there are, and a context beyond the model's, are told", async () => {
  const { code, stderr } = await hunch([...TINY, "--threads", "999", "--context", "4096", "-n", "2", "Tom"]);
  assert.equal(code, 0);
  assert.match(stderr, /^hunch: --threads 999: there are \d+ processors, so \d+ threads are used$/m);
  assert.match(stderr, /^hunch: --context 4096: stories260K was made for 512 tokens/m);
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

test("shells are told methods, backends, models, their paths, and shells", async () => {
  const folder = join(FOLDER, "named models");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Tiny-Story.gguf"), "");
  const complete = async (...words: string[]) => {
    const { code, stdout, stderr } = await hunch(["completion", "bash", ...words], { env: { HUNCH_MODELS: folder } });
    assert.equal(code, 0, stderr);
    return stdout.trim().split(/\s+/);
  };
  const drafters = builtin.filter(({ kind }) => kind === "drafter").map(({ name, argument }) =>
    argument === undefined || argument.startsWith("[") ? name : `${name}:`
  );
  assert.deepEqual(await complete("why", "-d", ""), drafters);
  assert.deepEqual(await complete("--rule", "to"), ["token", "top-and-one"]);
  assert.deepEqual(await complete("chat", "--controller", "fi"), ["fixed"]);
  assert.deepEqual(await complete("check", "rec"), ["recursive"]);
  assert.deepEqual(await complete("check", "--shape", "gu"), ["gumbel"]);
  assert.deepEqual(await complete("--backend", ""), ["auto", "onnx", "webgpu", "reference"]);
  assert.match((await complete("-m", "T")).join(" "), /^Tiny-Story .*__FILE__/);
  assert.match((await complete("model", "info", "T")).join(" "), /^Tiny-Story .*__FILE__/);
  assert.match((await complete("-d", "model:a")).join(" "), /__FILE__.*model/);
  assert.deepEqual(await complete("completion", "ba"), ["bash"]);
  assert.deepEqual(await complete("comp"), ["completion"]);
});

test("methods are listed with their laws, lossless or relaxed, all of them or those that a filter names", async () => {
  const [rules, json, nothing] = await Promise.all([
    hunch(["plugin", "list", "rules", "relaxed"]),
    hunch(["plugin", "list", "--json"]),
    hunch(["plugin", "list", "nothing"]),
  ]);
  assert.match(rules.stdout, /^rules\n {2}typical .*\n {6}relaxed for point, iid, distinct, top-and-one, beam\n/);
  assert.doesNotMatch(rules.stdout, /drafters|lossless for|\n(?! |$)(?!rules)/); // a default with line breaks stays on its line
  const methods = JSON.parse(json.stdout) as { kind: string; name: string; laws?: string[]; lossless?: boolean }[];
  const of = (kind: string, name: string) => methods.find((method) => method.kind === kind && method.name === name)!;
  assert.deepEqual([of("rule", "token").laws, of("rule", "token").lossless], [
    ["point", "iid", "distinct", "beam"],
    true,
  ]);
  assert.equal(of("rule", "typical").lossless, false);
  assert.deepEqual(of("shape", "gumbel").laws, ["distinct"]);
  assert.deepEqual(of("drafter", "lookup").laws, ["point"]);
  assert.equal(of("drafter", "lookup").lossless, undefined);
  assert.ok(methods.filter(({ kind }) => kind === "rule").every(({ lossless }) => typeof lossless === "boolean"));
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /no method is nothing; name a kind/);
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
  assert.match((await hunch(["cache", "limit", "5"], { env })).stderr, /"5" is not a size; write 5GB, 5MB or 5B/);
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
