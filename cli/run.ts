// From arguments to an exit code: the grammar of the whole command line, help, completion and the one line of an error.
import { or } from "@optique/core/constructs";
import { runParserSync } from "@optique/core/facade";
import { commandLine, lineBreak, type Message, message, text } from "@optique/core/message";
import { closest } from "../src/suggestion.ts";
import { EXIT } from "../src/errors.ts";
import { traceTo } from "../src/trace.ts";
import { benchCommand } from "./commands/bench.ts";
import { cacheCommand } from "./commands/cache.ts";
import { chatCommand } from "./commands/chat.ts";
import { checkCommand } from "./commands/check.ts";
import { claimsCommand } from "./commands/claims.ts";
import { exportCommand } from "./commands/export.ts";
import { generateCommand } from "./commands/generate.ts";
import { modelCommand } from "./commands/model.ts";
import { pluginCommand } from "./commands/plugin.ts";
import { scoreCommand } from "./commands/score.ts";
import { storeCommand } from "./commands/store.ts";
import { simulateCommand } from "./commands/simulate.ts";
import { tuneCommand } from "./commands/tune.ts";
import { complain } from "./output/failure.ts";
import { paintFor } from "./output/colour.ts";
import { stderr, stdin, stdout } from "./output/streams.ts";
import { VERSION } from "./version.ts";
import { usageError } from "./words/wording.ts";
import { wordsOf } from "./words/words.ts";

/** By name. Each parses to a function that runs it and returns the exit code. */
export const commands = {
  generate: generateCommand,
  chat: chatCommand,
  score: scoreCommand,
  check: checkCommand,
  bench: benchCommand,
  simulate: simulateCommand,
  tune: tuneCommand,
  claims: claimsCommand,
  export: exportCommand,
  model: modelCommand,
  plugin: pluginCommand,
  store: storeCommand,
  cache: cacheCommand,
};

const parser = or(
  commands.generate,
  commands.chat,
  commands.score,
  commands.check,
  commands.bench,
  commands.simulate,
  commands.tune,
  commands.claims,
  commands.export,
  commands.model,
  commands.plugin,
  commands.store,
  commands.cache,
);

/** `hunch "prompt"` is `hunch generate "prompt"`, and `hunch cache` is `hunch cache list`. */
export const STANDARD = { "": "generate", bench: "run", cache: "list", plugin: "list", store: "list" };

/** First words that Optique's own commands and options are. */
const OPTIQUE = ["help", "completion", "--help", "-h", "--version", "-V"];

/** Optique sets its columns in no less; on a narrower terminal lines break where they must. */
const NARROWEST = 48;

/** Runs the command and returns the exit code; everything is written by then. */
export async function run(args: readonly string[]): Promise<number> {
  traceTo(process.env.HUNCH_TRACE ? (line) => stderr.line(line) : undefined);
  try {
    if (args[0] === "completion" && args.length > 2) {
      return (await import("./commands/completion.ts")).complete(args, parser, Object.keys(commands));
    }
    const command = parse(args);
    return typeof command === "number" ? command : await command();
  } catch (error) {
    return complain(error, args.includes("--debug"));
  }
}

type Command = () => Promise<number>;

const FOOTER: Message = [
  "Exit codes:",
  `${EXIT.ok} done; ${EXIT.failure} a bug; ${EXIT.usage} wrong options or methods that do not fit together;`,
  `${EXIT.input} a broken file or request; ${EXIT.unavailable} the machine lacks something;`,
  `${EXIT.partial} some requests of --jsonl failed; ${EXIT.refuted} a check says no; ${EXIT.interrupted} Ctrl-C`,
].flatMap((line, i) => i === 0 ? [text(line)] : [lineBreak(), text(`  ${line}`)]);

/** The command, or the exit code where help, version or completion was all that was wanted. */
function parse(args: readonly string[]): Command | number {
  const words = wordsFor(args);
  return runParserSync(parser, "hunch", words, {
    colors: paintFor(stdout).on,
    maxWidth: Math.min(Math.max(stdout.columns, NARROWEST), 100),
    showChoices: true,
    aboveError: "none",
    stdout: (text) => stdout.line(text),
    stderr: () => {}, // said in one line by onError's exception
    brief: message`Makes a language model on your own machine answer faster without changing what it says.`,
    description: message`A prompt is enough: ${commandLine('hunch "Why is the sky blue?"')}. That is short for ${
      commandLine("hunch generate")
    }, and ${commandLine("hunch generate --help")} lists its options.`,
    footer: FOOTER,
    commandList: "top-level",
    usageLine: [{ type: "ellipsis" }],
    help: { command: true, option: { names: ["--help", "-h"] }, onShow: (code) => code },
    version: { value: `hunch ${VERSION}`, option: { names: ["--version", "-V"] }, onShow: (code: number) => code },
    completion: { command: true, onShow: (code: number) => code },
    onError: (_code, error) => {
      throw usageError(error, args, words, commands);
    },
  });
}

/** What Optique is given. */
function wordsFor(args: readonly string[]): readonly string[] {
  if (args.length === 0) return stdin.hasText() ? ["generate"] : ["--help"];
  if (OPTIQUE.includes(args[0])) return args;
  const near = args.length === 1 ? closest(args[0], Object.keys(commands)) : undefined;
  if (near && stderr.terminal) stderr.line(`hunch: answering ${JSON.stringify(args[0])}; did you mean hunch ${near}?`);
  return wordsOf(args, commands, STANDARD);
}
