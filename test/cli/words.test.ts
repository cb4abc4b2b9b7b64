// What people type and what is made of it, before anything runs.
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commands, STANDARD } from "../../cli/run.ts";
import { wordsOf } from "../../cli/words/words.ts";
import { closest } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";
import { file, FOLDER, hunch, STORIES, TINY } from "./support/cli.ts";

const words = (...args: string[]) => wordsOf(args, commands, STANDARD);

function refusal(...args: string[]): string {
  try {
    words(...args);
  } catch (error) {
    if (error instanceof HunchError && error.kind === "usage") return error.line;
    throw error;
  }
  throw new Error(`${args.join(" ")} was not refused`);
}

test("a value may be glued to a one-letter option, with = or without, and switches to each other", () => {
  assert.deepEqual(words("-m/a.gguf", "hi"), ["generate", "-m", "/a.gguf", "hi"]);
  assert.deepEqual(words("-f./q.txt"), ["generate", "-f", "./q.txt"]);
  assert.deepEqual(words("-t0.5", "-n=8", "hi"), ["generate", "-t", "0.5", "-n", "8", "hi"]);
  assert.deepEqual(words("-qn8", "-sBe brief.", "hi"), ["generate", "-q", "-n", "8", "-s", "Be brief.", "hi"]);
  assert.deepEqual(words("-qn", "8"), ["generate", "-q", "-n", "8"]);
  assert.deepEqual(words("--max-tokens=8", "hi"), ["generate", "--max-tokens", "8", "hi"]);
  assert.deepEqual(words("--stop=", "--stop", "-x"), ["generate", "--stop", "", "--stop", "-x"]);
});

test("a word that starts with a dash and is no option is refused and never the prompt", () => {
  for (const word of ["-x/path", "-1", "--nope", "--nope=a b", "-é", "---", "-jsonx"]) {
    assert.match(refusal(word, "hi"), new RegExp(`there is no option ${word.replace(/=.*/, "")}`), word);
  }
  assert.deepEqual(words("-1 + 3 ="), ["generate", "-1 + 3 ="]);
  assert.deepEqual(words("-n is an option"), ["generate", "-n is an option"]);
  assert.deepEqual(words("--help me with this"), ["generate", "--help me with this"]);
  assert.deepEqual(words("-q", "--", "-1", "--nope"), ["generate", "-q", "--", "-1", "--nope"]);
  assert.deepEqual(words("-"), ["generate", "-"]);
  assert.match(refusal("chat", "--jsonl"), /there is no option --jsonl; see hunch chat --help/);
});

test("of an option that is given again the last one holds, so that an alias can be overridden", () => {
  assert.deepEqual(words("-n", "5", "hi", "--max-tokens=6", "-n7"), ["generate", "hi", "-n", "7"]);
  assert.deepEqual(words("--summary", "hi", "-q"), ["generate", "hi", "-q"]);
  assert.deepEqual(words("--no-strict", "--strict", "--json", "--json"), ["generate", "--strict", "--json"]);
  assert.deepEqual(words("-f", "a", "-f", "b"), ["generate", "-f", "a", "-f", "b"]);
  assert.deepEqual(words("score", "-f", "a", "-f", "b"), ["score", "-f", "b"]);
  assert.deepEqual(words("-n", "5", "--", "-n", "6"), ["generate", "-n", "5", "--", "-n", "6"]);
});

test("options may come before the command", () => {
  assert.deepEqual(words("--debug", "-m", "chat", "chat"), ["chat", "--debug", "-m", "chat"]);
  assert.deepEqual(words("-mx", "model", "--json", "info"), ["model", "info", "-m", "x", "--json"]);
  assert.deepEqual(words("--json", "cache"), ["cache", "list", "--json"]);
  assert.deepEqual(words("--", "chat"), ["generate", "--", "chat"]);
  assert.deepEqual(words("model", "--help"), ["model", "--help"]);
  assert.deepEqual(words("generate", "chat"), ["generate", "chat"]);
});

test("nothing silly is suggested", () => {
  for (const word of ["-z", "-l", "-1"]) assert.doesNotMatch(refusal(word), /did you mean/);
  assert.match(refusal("-temperature", "1"), /did you mean --temperature\?/);
  assert.match(refusal("--max-tokns=3"), /did you mean --max-tokens\?/);
  assert.match(refusal("--temp", "1"), /did you mean --temperature\?/);
  assert.match(refusal("model", "inof"), /there is no hunch model inof; did you mean hunch model info\?/);
  assert.match(refusal("model"), /there are info, list, convert, random, quality/);
  assert.equal(closest("lookup", ["lookup"]), undefined);
  assert.equal(closest("lookup", ["lookup", "lookups"]), "lookups");
});

test("an option that takes a value in one command may be a switch in another", () => {
  const [simulate, passes] = [["--nodes", "6", "--cost", "1:20"], ["--nodes", "--rows", "4"]];
  assert.deepEqual(words("simulate", ...simulate), ["simulate", ...simulate]);
  assert.deepEqual(words(...simulate, "simulate"), ["simulate", ...simulate]);
  assert.deepEqual(words("bench", "passes", ...passes), ["bench", "passes", ...passes]);
  assert.deepEqual(words("bench", "passes", "--nodes", "-m", "a"), ["bench", "passes", "--nodes", "-m", "a"]);
  assert.match(refusal("bench", "--nodes", "3"), /there is no option --nodes/);
});

test("an argument that is missing is named, with the line to write", async () => {
  const lines: [args: string, line: string][] = [
    ["bench compare", "BEFORE is missing; write hunch bench compare BEFORE AFTER"],
    ["bench compare a.json", "AFTER is missing; write hunch bench compare BEFORE AFTER"],
    ["model convert", "OUT is missing; write hunch model convert OUT"],
    ["export", "ENGINE is missing; write hunch export ENGINE"],
    ["store build x", "FILE is missing; write hunch store build NAME FILE"],
  ];
  for (const [args, line] of lines) {
    const { code, stderr } = await hunch(args.split(" "));
    assert.deepEqual([code, stderr], [2, `hunch: ${line}\n`]);
  }
});

test("- is stdin, as the prompt, as a file, and for a text to score", async () => {
  const [prompt, piped, context, together, score, scored] = await Promise.all([
    hunch([...TINY, "-n4", "-"], { input: "Tom" }),
    hunch([...TINY, "-n4", "Tom"]),
    hunch([...TINY, "-n4", "-f", "-", "Tom had"], { input: "Tom" }),
    hunch([...TINY, "-n4", "Tom\n\nTom had"]),
    hunch(["score", ...TINY, "-f", "-"], { input: "Tom" }),
    hunch(["score", ...TINY, "Tom"]),
  ]);
  assert.equal(prompt.code, 0, prompt.stderr);
  assert.equal(prompt.stdout, piped.stdout);
  assert.equal(context.stdout, together.stdout);
  assert.equal(score.stdout, scored.stdout);
  assert.match((await hunch([...TINY, "-f", "-", "-"])).stderr, /stdin can be read once/);
  for (const words of [["-"], ["-f", "-", "Tom had"]]) {
    const empty = await hunch([...TINY, ...words], { input: " \n" });
    assert.equal(empty.code, 2, words.join(" "));
    assert.match(empty.stderr, /there is no text on stdin/);
  }
});

test("-m names the model wherever there is one to name, and a path that is not there is not suggested", async () => {
  symlinkSync("nowhere.gguf", join(FOLDER, "link.gguf"));
  file("real.gguf", "");
  const ended = await Promise.all([
    hunch(["model", "info", `-m${STORIES}`, "--json"]),
    hunch(["model", "info", "-m", STORIES, STORIES]),
    hunch(["-m", "link.gguf", "hi"]),
    hunch(["-m", "rael.gguf", "hi"]),
    hunch(["-m", "lnik.gguf", "hi"]),
  ]);
  assert.equal(JSON.parse(ended[0].stdout).vocabulary, 512);
  assert.match(ended[1].stderr, /two models are named/);
  assert.match(ended[2].stderr, /no such model file \(link\.gguf\); hunch model list/);
  assert.match(ended[3].stderr, /did you mean real\.gguf\?/);
  assert.doesNotMatch(ended[4].stderr, /did you mean/);
});

test("an argument is called as the help calls it", async () => {
  const { code, stderr } = await hunch(["export", "nosuch"]);
  assert.equal(code, 2);
  assert.match(stderr, /^hunch: ENGINE: expected one of vllm, .* but got nosuch; see hunch export --help\n$/);
});

test("help is told on terminals of any width", async () => {
  const pages = [[], ["generate"], ["check"], ["model"], ["model", "quality"]];
  for (const columns of ["1", "26", "37", "49", "90"]) {
    const ended = await Promise.all(pages.map((page) => hunch([...page, "--help"], { env: { COLUMNS: columns } })));
    for (const { code, stdout, stderr } of ended) {
      assert.deepEqual([code, stderr], [0, ""], columns);
      assert.match(stdout, /Usage: hunch/);
    }
  }
});
