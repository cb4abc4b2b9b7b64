// What the parser of the command line complains about, in one sentence of our own form and with a suggestion.
import { formatMessage, type Message } from "@optique/core/message";
import { extractCommandNames, extractOptionNames, type Usage } from "@optique/core/usage";
import { closest } from "../src/closest.ts";
import { HunchError } from "../src/errors.ts";

/** `args` as given, before a bare prompt became `generate`; `commands` by name. */
export function usageError(
  error: Message,
  args: readonly string[],
  commands: Readonly<Record<string, { readonly usage: Usage }>>,
): HunchError {
  const text = formatMessage(error, { quotes: false }).replaceAll(/\s+/g, " ").trim();
  const named = Object.hasOwn(commands, args[0] ?? "");
  const name = named ? args[0] : "generate";
  const { usage } = commands[name];
  const help = `see hunch ${name} --help`;
  const unexpected = text.match(/^Unexpected option or (?:subcommand|argument): (.*)\.$/)?.[1];
  if (unexpected === undefined) {
    const sentence = text.replace(/^Error: /, "").replace(/\.$/, "").replace(/: Expected/, ": expected");
    return new HunchError("usage", /^[A-Z]/.test(sentence) ? lower(sentence) : sentence, {}, help);
  }
  if (unexpected.startsWith("-")) {
    const near = closest(unexpected.replace(/=.*/s, ""), extractOptionNames(usage));
    return new HunchError("usage", `there is no option ${unexpected}`, {}, near ? `did you mean ${near}?` : help);
  }
  const near = named ? closest(unexpected, extractCommandNames(usage)) : closest(args[0] ?? "", Object.keys(commands));
  return new HunchError(
    "usage",
    `unexpected argument ${JSON.stringify(unexpected)}`,
    {},
    near ? `did you mean hunch ${named ? `${name} ` : ""}${near}?` : named ? help : "put quotes around the prompt",
  );
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
