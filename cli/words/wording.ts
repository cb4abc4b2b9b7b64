// What the parser of the command line complains about, in one sentence of our own form and with a suggestion.
import { formatMessage, type Message } from "@optique/core/message";
import { suggestion } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";
import { type Commands, writtenOut } from "./words.ts";

/** Of a sentence, not of a name in capitals such as FILE. */
const CAPITAL = /^[A-Z](?![A-Z])/;

/** `args` as given, `words` as Optique got them; `commands` by name. */
export function usageError(
  error: Message,
  args: readonly string[],
  words: readonly string[],
  commands: Commands,
): HunchError {
  const command = Object.hasOwn(commands, words[0]) ? `${words[0]} ` : "";
  const help = `see hunch ${command}--help`;
  if (Object.hasOwn(commands, words[0])) {
    const written = writtenOut(words, commands);
    const missing = missingArgument(error, written);
    if (missing !== undefined) {
      return new HunchError("usage", `${missing} is missing`, { hint: `write hunch ${written}` });
    }
  }
  const unexpected = unexpectedWord(error);
  if (unexpected === undefined) {
    const text = formatMessage(error, { quotes: false }).replaceAll(/\s+/g, " ").trim();
    const sentence = text.replace(/^Error: /, "").replace(/\.$/, "").replace(/: Expected/, ": expected");
    return new HunchError("usage", sentence.replace(CAPITAL, (letter) => letter.toLowerCase()), { hint: help });
  }
  const bare = words[0] === "generate" && !args.includes("generate");
  const otherwise = bare ? "put quotes around the prompt" : help;
  const hint = bare && !args[0].startsWith("-")
    ? suggestion(args[0], Object.keys(commands), { before: "hunch ", otherwise })
    : otherwise;
  return new HunchError("usage", `unexpected argument ${JSON.stringify(unexpected)}`, { hint });
}

/** The name of an argument that nobody gave, where that is the complaint; of several in one place, the last of `written`. */
function missingArgument(error: Message, written: string): string | undefined {
  const [first, name, rest] = error;
  if (first?.type !== "text") return undefined;
  if (/^Expected at least 1 value/.test(formatMessage(error, { quotes: false }))) return written.split(" ").at(-1);
  const is = first.text.startsWith("Expected a") && name?.type === "metavar" && rest?.type === "text" &&
    rest.text.includes("too few arguments");
  return is ? name.metavar : undefined;
}

/**
 * The word that has no place, where that is the complaint. Optique 1.3 lets nobody word it for merged options, so it is known
 * by its first words.
 */
function unexpectedWord([first, word]: Message): string | undefined {
  if (first?.type !== "text" || !first.text.startsWith("Unexpected option or ")) return undefined;
  return word?.type === "value" ? word.value : word?.type === "optionName" ? word.optionName : undefined;
}
