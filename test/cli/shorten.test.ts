// Conversations that are too long: what goes, and what stays.
import { test } from "node:test";
import assert from "node:assert/strict";
import { shorten } from "../../cli/input/shorten.ts";
import { HunchError } from "../../src/errors.ts";
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";

/** A token is a byte. */
const tokenizer: Tokenizer = {
  vocab: 256,
  ends: [],
  encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
  bytes: (token) => Uint8Array.of(token),
  decode: (tokens) => new TextDecoder().decode(Uint8Array.from(tokens)),
  name: String,
};
const render = (messages: readonly ChatMessage[]) =>
  messages.map(({ role, content }) => `<${role[0]}>${content}</>`).join("") + "<a>";
const cut = (messages: readonly ChatMessage[], most: number) => {
  const promptOf = (messages: readonly ChatMessage[]) => ({ tokens: tokenizer.encode(render(messages)) });
  const { tokens } = shorten(messages, most, promptOf, tokenizer);
  assert.ok(tokens.length <= most);
  return tokenizer.decode(tokens);
};
const system = (content: string): ChatMessage => ({ role: "system", content });
const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });
const TALK = [system("SYS"), user("first"), assistant("answer"), user("second"), assistant("reply"), user("third")];

test("the beginning of the oldest content goes first; frame and system prompt stay", () => {
  const whole = render(TALK);
  assert.equal(cut(TALK, whole.length), whole);
  assert.equal(cut(TALK, whole.length - 2), whole.replace("first", "rst"));
  assert.equal(cut(TALK, whole.length - 8), whole.replace("first", "").replace("answer", "wer"));
});

test("an exchange whose frame does not fit either is gone as a whole", () => {
  const whole = render(TALK);
  const without = render([TALK[0], ...TALK.slice(3)]);
  assert.equal(cut(TALK, without.length + 11), without);
  assert.equal(cut(TALK, without.length), without);
  assert.equal(cut(TALK, without.length - 1), without.replace("second", "econd"));
  assert.equal(cut(TALK, render([TALK[0], TALK[5]]).length), render([TALK[0], TALK[5]]));
  assert.ok(whole.length > without.length + 11);
});

test("what is asked is cut where it alone is too long, never inside a character", () => {
  const asked = [system("SYS"), user("ääää end")];
  const { length } = tokenizer.encode(render(asked));
  assert.equal(cut(asked, length - 3), render([system("SYS"), user("ää end")]));
  assert.equal(cut(asked, length - 12), render([system("SYS"), user("")]));
});

test("a system prompt that leaves no room is refused with the numbers", () => {
  const asked = [system("x".repeat(100)), user("hi")];
  assert.throws(
    () => cut(asked, 50),
    (error) => error instanceof HunchError && /still has 115 tokens.*leaves 50.*system prompt/.test(error.line),
  );
});

test("content is cut as deep as it must be, whatever a template does with it", () => {
  // Leaves out every second character: a token that is cut away counts half.
  const half = (messages: readonly ChatMessage[]) => ({
    tokens: tokenizer.encode(
      render(messages.map(({ role, content }) => ({ role, content: content.replaceAll(/(.)./g, "$1") }))),
    ),
  });
  const text = tokenizer.decode(shorten([user("0123456789abcdefghij")], 16, half, tokenizer).tokens);
  assert.match(text, /^<u>\w{7}<\/><a>$/);
});
