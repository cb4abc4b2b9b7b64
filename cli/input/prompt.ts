// What is asked: the prompt's text from argument, files and stdin, and its tokens, with the chat template or without.
import { HunchError } from "../../src/errors.ts";
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { lastTokens } from "../../src/round/prompt.ts";
import { stdin } from "../output/streams.ts";
import { shorten } from "./shorten.ts";
import { AS_IT_IS, refuseUntold, type TemplateSettings, variablesFor } from "./template.ts";
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
  if (places > 1) throw new HunchError("usage", "stdin can be read once", { hint: "leave all but one - out" });
  const piped = places === 0 && stdin.hasText();
  if (piped) parts.push(await readText("-", limit));
  for (const file of files) parts.push(await notBlank(file, limit));
  if (argument?.trim() === "") throw new HunchError("usage", "the prompt is empty", { hint: HINT });
  if (argument !== undefined) parts.push(argument === "-" ? await notBlank("-", limit) : argument);
  const prompt = parts.filter((part) => part.trim() !== "").join("\n\n");
  if (prompt !== "") return prompt;
  throw new HunchError("usage", piped ? NOTHING_PIPED : "there is no prompt", { hint: HINT });
}

/** The text of a file or of `-`, which somebody named and therefore has some. */
async function notBlank(file: string, limit: TextLimit | undefined): Promise<string> {
  const text = await readText(file, limit);
  if (text.trim() !== "") return text;
  if (file === "-") throw new HunchError("usage", NOTHING_PIPED, { hint: HINT });
  throw new HunchError("usage", "this file is empty", { file, hint: "name one with text in it" });
}

/** A prompt as messages: the system prompt, where there is one, and the user's. */
function asMessages(prompt: string, system: string | undefined): ChatMessage[] {
  const user: ChatMessage = { role: "user", content: prompt };
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}

/** What the model gets. */
export interface Prompt {
  readonly text: string;
  readonly tokens: Int32Array;
  /** The same in at most so many tokens; absent where nobody can say how. */
  readonly shortened?: (most: number) => Prompt;
}

/** Tokens of an answer that nobody set a length for. */
export const DEFAULT_MAX_TOKENS = 512;

/** `prompt`, shortened where it must be: to what leaves room for the answer, or for half of the context. */
export function fitted(prompt: Prompt, context: number, maxTokens: number | undefined): Prompt {
  const { tokens, shortened } = prompt;
  if (shortened === undefined || tokens.length + (maxTokens ?? 1) <= context) return prompt;
  return shortened(context - Math.min(maxTokens ?? DEFAULT_MAX_TOKENS, context >> 1));
}

/** Plain text, with the beginning token where the model wants one. Throws HunchError where there are no tokens. */
function rawPrompt({ tokenizer }: ModelSource, text: string): Prompt {
  const tokens = tokenizer.encode(text, { begin: true });
  return notEmpty({
    text,
    tokens,
    shortened: (most) => {
      const left = lastTokens(tokens, most, tokenizer.begin);
      return { text: tokenizer.decode(left[0] === tokenizer.begin ? left.subarray(1) : left), tokens: left };
    },
  });
}

/**
 * Messages in the model's own template. What they say stays text, the names of special tokens, too: those are tokens
 * only where the template writes them. Throws HunchError where the template fails, or has no such variable.
 */
export function chatPrompt(
  source: ModelSource,
  messages: readonly ChatMessage[],
  settings: TemplateSettings = AS_IT_IS,
): Prompt {
  const { chat, tokenizer } = source;
  if (chat === undefined) {
    throw new HunchError("usage", `${source.title} has no chat template`, {
      file: source.path,
      hint: "use --raw, and write the prompt as the beginning of the text to go on with, or give a --chat-template",
    });
  }
  const variables = variablesFor(chat, settings);
  const promptOf = (messages: readonly ChatMessage[]): Prompt => {
    const { text, said } = chat.render(messages, variables);
    const tokens = tokenizer.encode(text, { special: true, literal: said });
    const { begin } = tokenizer;
    if (!settings.addBos || begin === undefined || tokens[0] === begin) return notEmpty({ text, tokens });
    return notEmpty({ text: tokenizer.name(begin) + text, tokens: Int32Array.of(begin, ...tokens) });
  };
  return { ...promptOf(messages), shortened: (most) => shorten(messages, most, promptOf, tokenizer) };
}

function notEmpty(prompt: Prompt): Prompt {
  if (prompt.tokens.length > 0) return prompt;
  throw new HunchError("usage", "the prompt is empty", { hint: "give it at least one character" });
}

/**
 * What was asked. A model without a chat template goes on with the prompt as it stands, as with `raw`. Throws HunchError
 * where a system prompt has no place.
 */
export function promptOf(
  source: ModelSource,
  prompt: string,
  { raw, system, template }: {
    readonly raw: boolean;
    readonly system: string | undefined;
    readonly template?: TemplateSettings;
  },
): Prompt {
  if (!raw && (source.chat !== undefined || system !== undefined)) {
    return chatPrompt(source, asMessages(prompt, system), template);
  }
  if (template !== undefined) refuseUntold(undefined, template);
  if (system === undefined) return rawPrompt(source, prompt);
  throw new HunchError("usage", "--raw has no place for a system prompt", {
    hint: "leave --system out, or write it into the prompt",
  });
}
