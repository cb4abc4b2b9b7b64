// hunch chat over a pipe: one turn per line.
import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chatModel, FOLDER, hunch, TINY } from "./support/cli.ts";

const chat = (lines: readonly string[], ...args: string[]) =>
  hunch(["chat", "--backend", "reference", "-m", chatModel(), "-n", "8", ...args], { input: lines.join("\n") });

test("a conversation remembers what was said and computes only what is new", async () => {
  const file = join(FOLDER, "talk.json");
  const { code, stdout, stderr } = await chat(["hi", "/stats", "and\\", "then?", "/stats", `/save ${file}`]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trimEnd().split("\n").length, 2);
  const messages = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(messages.map(({ role }: { role: string }) => role), ["user", "assistant", "user", "assistant"]);
  assert.equal(messages[2].content, "and\nthen?");
  const kept = [...stderr.matchAll(/prompt (\d+)(?:, (\d+) kept)?/g)].map((match) => Number(match[2] ?? 0));
  assert.equal(kept[0], 0);
  assert.ok(kept[1] > 10, stderr);
});

test("a conversation says what the model would say to the whole of it at once", async () => {
  const file = join(FOLDER, "whole.json");
  const { stderr } = await chat(["hi", "tell me", `/save ${file}`]);
  const messages = JSON.parse(readFileSync(file, "utf8"));
  const answer = messages.pop().content;
  const { stdout } = await hunch(["--backend", "reference", "-m", chatModel(), "-n", "8", "--jsonl"], {
    input: JSON.stringify({ messages }),
  });
  assert.equal(JSON.parse(stdout).text, answer, stderr);
});

test("/system and /reset begin anew, /exit ends, and what is not known is told", async () => {
  const file = join(FOLDER, "anew.json");
  const lines = ["hi", "/system Be kind.", "/rest", "hi", `/save ${file}`, "/reset", "/exit", "never said"];
  const { code, stderr } = await chat(lines);
  assert.equal(code, 5);
  assert.match(stderr, /hunch: there is no \/rest; did you mean \/reset\?/);
  const messages = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(messages.map(({ role }: { role: string }) => role), ["system", "user", "assistant"]);
});

test("a conversation that outgrows the context is refused, or forgets its oldest turns", async () => {
  const long = Array.from({ length: 4 }, () => "Tom ran and ran and ran. ".repeat(14));
  const [refused, truncated] = await Promise.all([chat(long), chat([...long, "/help"], "--overflow", "truncate")]);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /does not fit the context of 512; begin anew with \/reset/);
  assert.equal(truncated.code, 0, truncated.stderr);
  assert.match(truncated.stderr, /the oldest \d messages were forgotten/);
});

test("a model without a chat template cannot chat, and is told how it can be used", async () => {
  const { code, stderr } = await hunch(["chat", ...TINY], { input: "hi\n" });
  assert.equal(code, 2);
  assert.match(stderr, /^hunch: .* has no chat template .*--raw/);
});
