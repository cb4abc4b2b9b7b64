// From the words of a command line to those that Optique parses. It takes `-n 8` and `--max-tokens=8`, each once and
// after the command; people also write `-n8` and `-n=8`, options before the command, and aliases whose options they say
// again. What looks like an option and is none is refused here, so that it never becomes the prompt.
import type { Usage, UsageTerm } from "@optique/core/usage";
import { closest, suggestion } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";

export type Commands = Readonly<Record<string, { readonly usage: Usage }>>;

/** An option by any of its names. */
interface Option {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly repeatable: boolean;
}

type Options = ReadonlyMap<string, Option>;

/** Taken by every command; Optique shows them itself. */
const EVERYWHERE: readonly Option[] = [["-h", "--help"], ["-V", "--version"]]
  .map((names) => ({ names, takesValue: false, repeatable: false }));

/** One or two words of the command line that belong together; an option, where it is one. */
interface Part {
  /** The option's name as written; "" of an argument. */
  readonly name: string;
  readonly words: readonly string[];
}

/**
 * The command's words first, then the options, each as often as it may stand, and the arguments. `standard`: the command
 * of a line that names none (by ""), and the one below a command where nothing else is asked of that. Throws
 * HunchError("usage") that names an option that is none.
 */
export function wordsOf(
  args: readonly string[],
  commands: Commands,
  standard: Readonly<Record<string, string>>,
): string[] {
  const end = args.indexOf("--");
  const typed = end < 0 ? args : args.slice(0, end);
  const all = optionsOf(Object.values(commands).flatMap(usageOf));
  const found = partsOf(typed, all);
  const named = takeCommand(found, Object.keys(commands));
  const path = [named ?? standard[""]];
  let namedBelow: string | undefined;
  let { usage } = commands[path[0]];
  const below = subcommands(usage);
  const names = Object.keys(below);
  if (names.length > 0) {
    const helps = found.some(({ name }) => name === "--help" || name === "-h");
    const given = found.find(({ name }) => name === "")?.words[0];
    namedBelow = takeCommand(found, names);
    const second = namedBelow ?? (given === undefined && !helps ? standard[path[0]] : undefined);
    if (second !== undefined) {
      path.push(second);
      usage = below[second];
    } else if (given !== undefined || !helps) throw noSuchCommand(path[0], given, names);
  }
  const own = optionsOf(usage);
  const parts = partsOf(typed, new Map([...all, ...own])); // what takes a value elsewhere may be a switch here
  for (const name of [named, namedBelow]) if (name !== undefined) takeCommand(parts, [name]);
  const words = parts.flatMap(({ name, words }, i) => {
    if (name === "") return words;
    const option = own.get(name);
    if (option === undefined) throw unknown(name, path, own);
    const again = !option.repeatable && parts.slice(i + 1).some((later) => option.names.includes(later.name));
    return again ? [] : words;
  });
  return [...path, ...words, ...end < 0 ? [] : args.slice(end)];
}

/** Removes the first argument and returns it, where it is one of `names`. */
function takeCommand(parts: Part[], names: readonly string[]): string | undefined {
  const first = parts.findIndex(({ name }) => name === "");
  if (first < 0 || !names.includes(parts[first].words[0])) return undefined;
  return parts.splice(first, 1)[0].words[0];
}

/** `names`: the commands below `command`, of which `given` is none. */
function noSuchCommand(command: string, given: string | undefined, names: readonly string[]): HunchError {
  const there = `there are ${names.join(", ")}`;
  if (given === undefined) return new HunchError("usage", `hunch ${command} does nothing on its own`, { hint: there });
  return new HunchError("usage", `there is no hunch ${command} ${given}`, {
    hint: suggestion(given, names, { before: `hunch ${command} ` }),
  });
}

function partsOf(args: readonly string[], known: Options): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i];
    const [name, value] = split(word, known);
    const takesValue = known.get(name)?.takesValue;
    if (takesValue && value !== undefined) parts.push({ name, words: [name, value] });
    else if (takesValue && i + 1 < args.length) parts.push({ name, words: [name, args[++i]] });
    else if (takesValue === false && value !== undefined && !name.startsWith("--")) {
      parts.push({ name, words: [name] }, ...partsOf([`-${value}`, ...args.slice(i + 1)], known)); // -qn 8
      break;
    } else parts.push({ name, words: [word] });
  }
  return parts;
}

/** Name and value of an option, the value only where it is in the same word. The name is "" where the word is none. */
function split(word: string, known: Options): [name: string, value?: string] {
  if (!word.startsWith("-") || word === "-") return [""];
  if (known.has(word)) return [word];
  const [, long, value] = word.match(/^(--[^\s=]+)(?:=(.*))?$/s) ?? [];
  if (long !== undefined) return [long, value];
  const mistyped = word.match(/^-[^\s=]+/)?.[0] ?? "";
  if (known.has(`-${mistyped}`)) return [mistyped]; // -temperature
  const short = word.slice(0, 2);
  if (known.has(short) && !/\s/.test(word[2])) return [short, word.slice(2).replace(/^=/, "")];
  return [/\s/.test(word) ? "" : word];
}

function unknown(name: string, path: readonly string[], own: Options): HunchError {
  const long = [...own.keys()].filter((other) => other.startsWith("--"));
  const typed = name.replace(/=.*/s, "");
  const begun = typed.length > 4 ? long.filter((other) => other.startsWith(typed)) : []; // --temp
  const [shortest] = begun.sort((a, b) => a.length - b.length);
  const near = shortest ?? (typed.length > 2 ? closest(typed, long) : undefined); // one letter is nobody's typo
  const help = `see hunch ${path.join(" ")} --help`;
  const hint = name.startsWith("--") ? help : `${help}; a text that starts with a dash comes after --`;
  return new HunchError("usage", `there is no option ${name}`, {
    hint: near === undefined ? hint : `did you mean ${near}?`,
  });
}

/** Of an option that takes a value in some commands and none in others: the one that does. */
function optionsOf(usage: Usage): Options {
  const options = new Map<string, Option>();
  const add = (option: Option) =>
    option.names.forEach((name) => {
      if (!options.get(name)?.takesValue) options.set(name, option);
    });
  const walk = (terms: Usage, repeatable: boolean) =>
    terms.forEach((term) => {
      if (term.type === "option") add({ names: term.names, takesValue: term.metavar !== undefined, repeatable });
      inside(term).forEach((terms) => walk(terms, repeatable || term.type === "multiple"));
    });
  walk(usage, false);
  EVERYWHERE.forEach(add);
  return options;
}

/** The command that `words` begin with, as it is written with its arguments: `bench compare BEFORE AFTER`. */
export function writtenOut([name, second]: readonly string[], commands: Commands): string {
  const { usage } = commands[name];
  const below = subcommands(usage)[second];
  const named: string[] = [];
  const walk = (terms: Usage) =>
    terms.forEach((term) => {
      if (term.type === "argument") named.push(term.metavar);
      else if (term.type === "multiple") inside(term).forEach(walk);
    });
  walk(below ?? usage);
  return [name, ...below === undefined ? [] : [second], ...named].join(" ");
}

/** Commands below a command, with their own usage. */
function subcommands(usage: Usage): Record<string, Usage> {
  const [, below] = usage;
  const branches = below?.type === "exclusive" ? below.terms : [usage.slice(1)];
  return Object.fromEntries(branches.flatMap((terms) => terms[0]?.type === "command" ? [[terms[0].name, terms]] : []));
}

function inside(term: UsageTerm): readonly Usage[] {
  return "terms" in term ? term.type === "exclusive" ? term.terms : [term.terms] : [];
}

function usageOf({ usage }: { readonly usage: Usage }): Usage {
  return usage;
}
