// What is asked: the prompt's text from argument, files and stdin, and its tokens, with the chat template or without.
import { HunchError } from "../src/errors.ts";
import type { ChatMessage } from "../src/model/chat.ts";
import { openModel } from "../src/model/open.ts";
import type { ModelSource } from "../src/model/source.ts";
import { openCache } from "./cache.ts";
import { findModel } from "./models.ts";
import { stdinHasText } from "./output/streams.ts";
import type { Question } from "./session.ts";
import { shorten } from "./shorten.ts";
import { readText, type TextLimit } from "./text.ts";

const HINT = 'give one: hunch "Why is the sky blue?", or pipe text into it';
const NOTHING_PIPED = "there is no text on stdin";

/**
 * The last of stdin, files and argument that is given is the prompt; what comes before it is its context. Parts are
 * joined by an empty line: context, empty line, prompt. `-`, as a file or the argument, is stdin in that place. Throws
 * HunchError where there is nothing at all, where a file, `-` or the argument is empty, and where a part is longer than
 * `limit` allows. A pipe that nobody named may be empty beside something else.
 */
export async function readPrompt(
  argument: string | undefined,
  files: readonly string[],
  limit?: TextLimit,
): Promise<string> {
  const parts: string[] = [];
  const places = [...files, argument].filter((name) => name === "-").length;
  if (places > 1) throw new HunchError("usage", "stdin can be read once", {}, "leave all but one - out");
  const piped = places === 0 && stdinHasText();
  if (piped) parts.push(await readText("-", limit));
  for (const file of files) parts.push(await notBlank(file, limit));
  if (argument?.trim() === "") throw new HunchError("usage", "the prompt is empty", {}, HINT);
  if (argument !== undefined) parts.push(argument === "-" ? await notBlank("-", limit) : argument);
  const prompt = parts.filter((part) => part.trim() !== "").join("\n\n");
  if (prompt !== "") return prompt;
  throw new HunchError("usage", piped ? NOTHING_PIPED : "there is no prompt", {}, HINT);
}

/** The text of a file or of `-`, which somebody named and therefore has some. */
async function notBlank(file: string, limit: TextLimit | undefined): Promise<string> {
  const text = await readText(file, limit);
  if (text.trim() !== "") return text;
  if (file === "-") throw new HunchError("usage", NOTHING_PIPED, {}, HINT);
  throw new HunchError("usage", "this file is empty", { file }, "name one with text in it");
}

/**
 * Most bytes that a text can have to fit the context: as if all its tokens were the longest of the vocabulary, and a
 * normaliser took three quarters away. Opens the model, but loads nothing.
 */
export async function contextBytes(model: string | undefined, context: number | undefined): Promise<number> {
  const source = await openModel(await findModel(model, openCache()), { context });
  try {
    const { tokenizer } = source;
    let longest = 1;
    for (let token = 0; token < tokenizer.vocab; token++) {
      longest = Math.max(longest, tokenizer.bytes(token).length);
    }
    return 4 * longest * (context ?? source.spec.context);
  } finally {
    source.close();
  }
}

/** A prompt as messages: the system prompt, where there is one, and the user's. */
export function asMessages(prompt: string, system: string | undefined): ChatMessage[] {
  const user: ChatMessage = { role: "user", content: prompt };
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}

/** Tokens of plain text, with the beginning token where the model wants one. Throws HunchError where none are left. */
export function rawTokens(source: ModelSource, text: string): Int32Array {
  return notEmpty(source.tokenizer.encode(text, { begin: true }));
}

/**
 * Tokens of messages in the model's own template. What users write stays text: where it holds the name of a special
 * token, the messages are put into the template as placeholders and encoded apart.
 */
export function chatTokens(source: ModelSource, messages: readonly ChatMessage[]): Int32Array {
  const { chat, tokenizer } = source;
  if (chat === undefined) {
    throw new HunchError(
      "usage",
      `${source.title} has no chat template`,
      { file: source.path },
      "use --raw, and write the prompt as the beginning of the text to go on with",
    );
  }
  const clean = messages.every(({ content }) => !namesSpecialToken(source, content));
  const tokens = clean ? tokenizer.encode(chat.render(messages), { special: true }) : apart(source, messages);
  const { begin } = tokenizer;
  return notEmpty(begin === undefined || tokens[0] === begin ? tokens : Int32Array.of(begin, ...tokens));
}

function namesSpecialToken({ tokenizer }: ModelSource, text: string): boolean {
  const plain = tokenizer.encode(text);
  const special = tokenizer.encode(text, { special: true });
  return plain.length !== special.length || plain.some((token, i) => token !== special[i]);
}

/** Private characters around a number: no template changes them, and no vocabulary has them as a special token. */
const MARK = "\u{F8F0}";

function apart({ chat, tokenizer }: ModelSource, messages: readonly ChatMessage[]): Int32Array {
  const hidden = messages.map((message, i) => ({ ...message, content: `${MARK}${i}${MARK}` }));
  const parts = chat!.render(hidden).split(new RegExp(`${MARK}(\\d+)${MARK}`));
  return Int32Array.from(
    parts.flatMap((part, i) =>
      i % 2 === 0
        ? [...tokenizer.encode(part, { special: true })]
        : [...tokenizer.encode(messages[Number(part)].content)]
    ),
  );
}

function notEmpty(tokens: Int32Array): Int32Array {
  if (tokens.length > 0) return tokens;
  throw new HunchError("usage", "the prompt is empty", {}, "give it at least one character");
}

/** How a question begins; see Question. */
export type Prompt = Pick<Question, "prompt" | "shortened">;

/** Messages in the model's own template, which can be made shorter. */
export function chatPrompt(source: ModelSource, messages: readonly ChatMessage[]): Prompt {
  const tokensOf = (messages: readonly ChatMessage[]) => chatTokens(source, messages);
  return {
    prompt: tokensOf(messages),
    shortened: (most) => shorten(messages, most, tokensOf, source.tokenizer),
  };
}

/**
 * What was asked. A model without a chat template goes on with the prompt as it stands, as with `raw`. Throws HunchError
 * where a system prompt has no place.
 */
export function promptOf(
  source: ModelSource,
  prompt: string,
  { raw, system }: { readonly raw: boolean; readonly system: string | undefined },
): Prompt {
  if (!raw && (source.chat !== undefined || system !== undefined)) {
    return chatPrompt(source, asMessages(prompt, system));
  }
  if (system === undefined) return { prompt: rawTokens(source, prompt) };
  throw new HunchError(
    "usage",
    "--raw has no place for a system prompt",
    {},
    "leave --system out, or write it into the prompt",
  );
}
