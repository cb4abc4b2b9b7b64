// What is asked: the prompt's text from argument, files and stdin, and its tokens, with the chat template or without.
import { HunchError } from "../src/errors.ts";
import type { ChatMessage } from "../src/model/chat.ts";
import type { ModelSource } from "../src/model/source.ts";
import { stdinHasText } from "./output/streams.ts";
import { readText } from "./text.ts";

/**
 * The last of stdin, files and argument that is given is the prompt; what comes before it is its context. Parts are
 * joined by an empty line: context, empty line, prompt. `-`, as a file or the argument, is stdin in that place. Throws
 * HunchError where there is nothing at all.
 */
export async function readPrompt(argument: string | undefined, files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  const places = [...files, argument].filter((name) => name === "-").length;
  if (places > 1) throw new HunchError("usage", "stdin can be read once", {}, "leave all but one - out");
  if (places === 0 && stdinHasText()) parts.push(await readText("-"));
  for (const file of files) parts.push(await readText(file));
  if (argument !== undefined) parts.push(argument === "-" ? await readText("-") : argument);
  if (parts.length === 0) {
    throw new HunchError(
      "usage",
      "there is no prompt",
      {},
      'give one: hunch "Why is the sky blue?", or pipe text into it',
    );
  }
  return parts.filter((part, i) => part !== "" || i === parts.length - 1).join("\n\n");
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

/**
 * Tokens of what was asked. A model without a chat template goes on with the prompt as it stands, as with `raw`.
 * Throws HunchError where a system prompt has no place.
 */
export function promptTokens(
  source: ModelSource,
  prompt: string,
  { raw, system }: { readonly raw: boolean; readonly system: string | undefined },
): Int32Array {
  if (!raw && (source.chat !== undefined || system !== undefined)) {
    return chatTokens(source, asMessages(prompt, system));
  }
  if (system === undefined) return rawTokens(source, prompt);
  throw new HunchError(
    "usage",
    "--raw has no place for a system prompt",
    {},
    "leave --system out, or write it into the prompt",
  );
}
