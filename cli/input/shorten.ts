// A conversation that is too long for the context, made shorter: the oldest turns leave, and of the oldest that stays
// the content is cut from its beginning. The frame that the template puts around them and the system prompt stay.
import { HunchError } from "../../src/errors.ts";
import type { ChatMessage } from "../../src/model/chat/chat.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";

type Messages = readonly ChatMessage[];

/**
 * The prompt of as much of `messages` as `most` tokens hold; `promptOf` puts messages into the template. Throws
 * HunchError("input") where the system prompt and the frame alone are longer.
 */
export function shorten<P extends { readonly tokens: Int32Array }>(
  messages: Messages,
  most: number,
  promptOf: (messages: Messages) => P,
  tokenizer: Tokenizer,
): P {
  const system = messages.filter(({ role }, i) => role === "system" && i === 0);
  const turns = exchanges(messages.slice(system.length));
  const from = (first: number): Messages => system.concat(...turns.slice(first));
  const fits = (candidate: Messages) => promptOf(candidate).tokens.length <= most;

  // The first exchange that stays whole, or the last one, which is what is asked.
  let first = 0;
  for (let end = turns.length - 1; first < end;) {
    const middle = (first + end) >> 1;
    if (fits(from(middle))) end = middle;
    else first = middle + 1;
  }
  if (fits(from(first))) {
    const before = first > 0 ? cut(system, turns[first - 1], turns.slice(first).flat()) : undefined;
    return before ?? promptOf(from(first));
  }
  const left = cut(system, turns[first], []);
  if (left !== undefined) return left;
  const bare = promptOf(system.concat(turns[first].map(emptied))).tokens.length;
  throw new HunchError(
    "input",
    `without any content the prompt still has ${bare} tokens, and the context leaves ${most} for it`,
    { hint: "shorten the system prompt" },
  );

  /** With as much of `exchange` as fits; undefined where not even its frame does. */
  function cut(system: Messages, exchange: Messages, after: Messages): P | undefined {
    const promptWith = (exchange: Messages) => promptOf([...system, ...exchange, ...after]);
    if (promptWith(exchange.map(emptied)).tokens.length > most) return undefined;
    // Text in a template has about as many tokens as by itself; what the guess lacks is taken in the next turn.
    let prompt = promptWith(exchange);
    for (let gone = 0; prompt.tokens.length > most;) {
      gone += prompt.tokens.length - most;
      prompt = promptWith(withoutBeginning(exchange, gone, tokenizer));
    }
    return prompt;
  }
}

const emptied = (message: ChatMessage): ChatMessage => ({ ...message, content: "" });

/** What is asked, with what follows it up to the next question. */
function exchanges(messages: Messages): ChatMessage[][] {
  const found: ChatMessage[][] = [];
  for (const message of messages) {
    if (message.role === "user" || found.length === 0) found.push([message]);
    else found.at(-1)!.push(message);
  }
  return found;
}

/** The first `count` tokens of the contents taken away, one message after the other. */
function withoutBeginning(messages: Messages, count: number, tokenizer: Tokenizer): ChatMessage[] {
  return messages.map((message) => {
    const tokens = tokenizer.encode(message.content);
    const gone = Math.min(count, tokens.length);
    count -= gone;
    if (gone === 0) return message;
    if (gone === tokens.length) return emptied(message);
    const bytes = new TextEncoder().encode(message.content);
    let from = tokens.subarray(0, gone).reduce((sum, token) => sum + tokenizer.bytes(token).length, 0);
    while (from < bytes.length && (bytes[from] & 0xc0) === 0x80) from++; // never half a character
    return { ...message, content: new TextDecoder().decode(bytes.subarray(from)) };
  });
}
