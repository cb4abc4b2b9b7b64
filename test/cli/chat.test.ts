// hunch chat over a pipe: one turn per line.
import { test } from "node:test";
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stateFolder } from "../../cli/cache/state-folder.ts";
import { ChatState } from "../../cli/chat/state.ts";
import { ownSystem } from "../../cli/chat/own-system.ts";
import { chatFromTemplate } from "../../src/model/chat/chat.ts";
import { because } from "../support/skip.ts";
import { chatModel, file, FOLDER, hunch, hunchProcess, QUICK, TINY } from "./support/cli.ts";

const START = [{ role: "user", content: "Tom?" }, { role: "assistant", content: "Yes." }];
let states = 0;

/** A chat over a pipe that goes on with `messages`, and the messages afterwards. */
async function chat(lines: readonly string[] | Uint8Array, args: readonly string[] = [], messages: unknown = START) {
  const state = join(FOLDER, `state ${states++}`);
  const kept = join(state, "hunch", "conversation.json");
  mkdirSync(join(state, "hunch"), { recursive: true });
  writeFileSync(kept, JSON.stringify(messages));
  const command = ["chat", "--continue", ...QUICK, "-m", chatModel(), "-n", "8", ...args];
  const input = lines instanceof Uint8Array ? lines : lines.join("\n");
  const ended = await hunch(command, { input, env: { XDG_STATE_HOME: state } });
  return { ...ended, messages: JSON.parse(readFileSync(kept, "utf8")) as { role: string; content: string }[], state };
}

test("a conversation remembers what was said and computes only what is new", async () => {
  const { code, stdout, stderr, messages } = await chat(["hi", "/stats", "and\\", "then?", "/stats"]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `${messages[3].content}\n${messages[5].content}\n`);
  assert.deepEqual(messages.map(({ role }) => role[0]).join(""), "uauaua");
  assert.equal(messages[4].content, "and\nthen?");
  const kept = [...stderr.matchAll(/prompt (\d+)(?:, (\d+) kept)?/g)].map((match) => Number(match[2] ?? 0));
  assert.equal(kept[0], 0);
  assert.ok(kept[1] > 10, stderr);
});

test("a conversation says what the model would say to the whole of it at once", async () => {
  const { stderr, messages } = await chat(["hi", "tell me"]);
  const answer = messages.pop()!.content;
  const { stdout } = await hunch([...QUICK, "-m", chatModel(), "-n", "8", "--jsonl"], {
    input: JSON.stringify({ messages }),
  });
  assert.equal(JSON.parse(stdout).text, answer, stderr);
});

test("/system and /reset begin anew, /exit ends, and what is not known is told", async () => {
  const lines = ["hi", "/system Be kind.", "/system", "/rest", "hi", "/reset", "/exit", "never said"];
  const { code, stderr, messages } = await chat(lines);
  assert.equal(code, 5);
  assert.match(stderr, /^Be kind\.$/m);
  assert.match(stderr, /hunch: line 4: there is no \/rest; did you mean \/reset\?/);
  assert.deepEqual(messages.map(({ role }) => role), ["system", "user", "assistant"]);
});

test("/retry answers the last question again, with other random numbers", async () => {
  const { code, stderr, stdout, messages } = await chat(["hi", "/retry"], ["-t", "5", "--seed", "1"]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(messages.map(({ role }) => role[0]).join(""), "uaua");
  const again = messages[3].content;
  assert.ok(stdout.endsWith(`${again}\n`));
  assert.ok(!stdout.startsWith(again));
});

test("each line of a pipe fails alone: bytes that are no text, a NUL, a file that nobody may write", async () => {
  const victim = file("victim.json", "precious");
  const input = Buffer.concat([
    Buffer.from("hello\n"),
    Buffer.from([0xff, 0xfe, 10, 97, 0, 98, 10]),
    Buffer.from(`/save ${victim}\n/load ${victim}\n`),
    Buffer.from(" /bin is a directory\n   indented  "),
  ]);
  const { code, stderr, messages } = await chat(input);
  assert.equal(code, 5);
  const said = messages.filter(({ role }) => role === "user").map(({ content }) => content);
  assert.deepEqual(said, ["Tom?", "hello", " /bin is a directory", "   indented  "]);
  assert.match(stderr, /hunch: line 2: not UTF-8 text \(stdin, at byte 0\)/);
  assert.match(stderr, /hunch: line 3: not text: there is a NUL byte \(stdin, at byte 1\)/);
  assert.match(stderr, /hunch: line 4: \/save works at a terminal only/);
  assert.match(stderr, /hunch: line 5: \/load works at a terminal only/);
  assert.equal(readFileSync(victim, "utf8"), "precious");
});

test("an answer that fails leaves the conversation as it was, and the next one comes", async () => {
  const plugin = file(
    "touchy-chat.ts",
    `export default { kind: "drafter", name: "touchy", summary: "fails once", create: () => {
      let calls = 0;
      return { name: "touchy", laws: [] as string[], observe() {}, draft() { throw new Error("not asked"); },
        begin() { if (++calls === 1) throw new TypeError("not now"); } }; } };`,
  );
  const { code, stderr, messages } = await chat(["one", "two"], ["--plugin", plugin, "--drafter", "touchy"]);
  assert.equal(code, 5);
  assert.match(stderr, /not now/);
  assert.deepEqual(messages.map(({ content }) => content).slice(0, 3), ["Tom?", "Yes.", "two"]);
});

test("what scripts say is not kept, and --forget removes what people said", async () => {
  const state = join(FOLDER, "state of scripts");
  const env = { XDG_STATE_HOME: state };
  const args = ["--backend", "reference", "-m", chatModel(), "-n", "2"];
  const piped = await hunchProcess(["chat", ...args], { input: "hi", env });
  assert.equal(piped.code, 0, piped.stderr);
  assert.ok(!existsSync(state));
  const none = await hunch(["chat", "--continue", ...args], { input: "hi", env });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^hunch: there is no conversation to go on with/);
  const kept = await chat(["hi"]);
  const path = join(kept.state, "hunch", "conversation.json");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const forgotten = await hunch(["chat", "--forget"], { env: { XDG_STATE_HOME: kept.state } });
  assert.deepEqual([forgotten.code, forgotten.stdout], [0, `removed ${path}\n`]);
  assert.ok(!existsSync(path));
});

test("the state folder is the platform's, and no relative one", {
  skip: process.platform === "linux" ? false : because("other platforms have other folders"),
}, () => {
  assert.equal(stateFolder({ XDG_STATE_HOME: "/s", HOME: "/h" }), "/s/hunch");
  assert.equal(stateFolder({ XDG_STATE_HOME: "s", HOME: "/h" }), "/h/.local/state/hunch");
  assert.equal(stateFolder({}), undefined);
});

test("a history that has grown long loses its older half, and damaged lines are left out", () => {
  const state = new ChatState(join(FOLDER, "history"));
  for (let i = 0; i < 30; i++) state.add(`${i} ${"x".repeat(40_000)}\nend`);
  writeFileSync(join(state.folder, "history.jsonl"), '{"broken\n', { flag: "a" });
  const turns = state.history();
  assert.ok(turns.length > 10 && turns.length < 15, String(turns.length));
  assert.ok(turns.at(-1)!.startsWith("29 "));
  assert.deepEqual(state.history(), turns);
});

test("a template's own system prompt is found where it has one", () => {
  const chat = (text: string) => chatFromTemplate(text, {}, "test")!;
  const each = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}";
  const own = "{% if messages[0].role != 'system' %}<system>Be yourself.</>{% endif %}";
  assert.equal(ownSystem(chat(own + each)), "Be yourself.");
  assert.equal(ownSystem(chat(each)), undefined);
  assert.equal(ownSystem(chat("{{ raise_exception('no system') }}")), undefined);
});

test("a conversation that outgrows the context is refused, or leaves out its oldest turns and keeps them", async () => {
  const long = Array.from({ length: 4 }, () => "Tom ran and ran and ran. ".repeat(14));
  const [refused, truncated] = await Promise.all([chat(long), chat([...long, "/help"], ["--overflow", "truncate"])]);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /does not fit the context of 512; begin anew with \/reset/);
  assert.equal(truncated.code, 0, truncated.stderr);
  assert.match(truncated.stderr, /too long for the context: its oldest \d+ tokens were left out/);
  assert.equal(truncated.messages.length, 2 + 2 * long.length);
});

test("a model without a chat template cannot chat, and is told how it can be used", async () => {
  const { code, stderr } = await hunch(["chat", ...TINY], { input: "hi\n" });
  assert.equal(code, 2);
  assert.match(stderr, /^hunch: .* has no chat template .*--raw/);
});
