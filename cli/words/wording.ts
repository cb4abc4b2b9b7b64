// What the parser of the command line complains about, in one sentence of our own form and with a suggestion.
import { formatMessage, type Message } from "@optique/core/message";
import { suggestion } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";
import type { Commands } from "./words.ts";

/** `args` as given, `words` as Optique got them; `commands` by name. */
export function usageError(
  error: Message,
  args: readonly string[],
  words: readonly string[],
  commands: Commands,
): HunchError {
  const text = formatMessage(error, { quotes: false }).replaceAll(/\s+/g, " ").trim();
  const command = Object.hasOwn(commands, words[0]) ? `${words[0]} ` : "";
  const help = `see hunch ${command}--help`;
  const unexpected = text.match(/^Unexpected option or (?:subcommand|argument): (.*?)\.(?: Did you mean .*)?$/)?.[1];
  if (unexpected === undefined) {
    const sentence = text.replace(/^Error: /, "").replace(/\.$/, "").replace(/: Expected/, ": expected")
      .replace(
        / a safe integer between .*? and .*?(, but got .*?)\. Use type: .*$/,
        " a whole number that is not so large$1",
      );
    return new HunchError("usage", /^[A-Z]/.test(sentence) ? lower(sentence) : sentence, { hint: help });
  }
  const bare = words[0] === "generate" && !args.includes("generate");
  const otherwise = bare ? "put quotes around the prompt" : help;
  const hint = bare && !args[0].startsWith("-")
    ? suggestion(args[0], Object.keys(commands), { before: "hunch ", otherwise })
    : otherwise;
  return new HunchError("usage", `unexpected argument ${JSON.stringify(unexpected)}`, { hint });
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
