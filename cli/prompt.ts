// What is asked: the prompt's text from argument, files and stdin, and its tokens, with the chat template or without.
import { HunchError } from "../src/errors.ts";
import type { ChatMessage } from "../src/model/chat.ts";
import type { ModelSource } from "../src/model/source.ts";
import { stdinHasText } from "./output/streams.ts";
import { AS_IT_IS, type TemplateSettings, variablesFor } from "./template.ts";
import { readStdin, readTextFile } from "./text.ts";

/**
 * The last of stdin, files and argument that is given is the prompt; what comes before it is its context. Parts are
 * joined by an empty line: context, empty line, prompt. Throws HunchError where there is nothing at all.
 */
export async function readPrompt(argument: string | undefined, files: readonly string[]): Promise<string> {
  const parts: string[] = [];
  if (stdinHasText()) parts.push(await readStdin());
  for (const file of files) parts.push(readTextFile(file));
  if (argument !== undefined) parts.push(argument);
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

/** What the model gets. */
export interface Prompt {
  readonly text: string;
  readonly tokens: Int32Array;
}

/** Plain text, with the beginning token where the model wants one. Throws HunchError where there are no tokens. */
function rawPrompt(source: ModelSource, text: string): Prompt {
  return notEmpty({ text, tokens: source.tokenizer.encode(text, { begin: true }) });
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
    throw new HunchError(
      "usage",
      `${source.title} has no chat template`,
      { file: source.path },
      "use --raw, and write the prompt as the beginning of the text to go on with, or give a --chat-template",
    );
  }
  const { text, said } = chat.render(messages, variablesFor(chat, settings));
  const tokens = tokenizer.encode(text, { special: true, literal: said });
  const { begin } = tokenizer;
  if (!settings.addBos || begin === undefined || tokens[0] === begin) return notEmpty({ text, tokens });
  return notEmpty({ text: tokenizer.name(begin) + text, tokens: Int32Array.of(begin, ...tokens) });
}

function notEmpty(prompt: Prompt): Prompt {
  if (prompt.tokens.length > 0) return prompt;
  throw new HunchError("usage", "the prompt is empty", {}, "give it at least one character");
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
  if (template !== undefined && (template.noThink || template.needed.length > 0)) {
    throw new HunchError("usage", "without a chat template nothing can be told to it", {}, "leave its options out");
  }
  if (system === undefined) return rawPrompt(source, prompt);
  throw new HunchError(
    "usage",
    "--raw has no place for a system prompt",
    {},
    "leave --system out, or write it into the prompt",
  );
}
