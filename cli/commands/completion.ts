// What a shell is told that completes a word: commands and shells as well, and the lists of cli/words/suggest.ts.
import { or } from "@optique/core/constructs";
import { runParserSync } from "@optique/core/facade";
import { formatMessage } from "@optique/core/message";
import { argument, command } from "@optique/core/primitives";
import type { Parser } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { builtin } from "../../plugins/builtin.ts";
import { KINDS } from "../../src/plugins/plugin.ts";
import { HunchError } from "../../src/errors.ts";
import { backendNames } from "../engine/backends.ts";
import { storeNames } from "../cache/stores.ts";
import { folderModels } from "../engine/models.ts";
import { stdout } from "../output/streams.ts";
import { type Lists, setLists } from "../words/suggest.ts";
import { VERSION } from "../version.ts";

const SHELLS = ["bash", "fish", "nu", "pwsh", "zsh"] as const;

/** Answers `hunch completion SHELL WORDS…`, the last word being the one to complete, and returns the exit code. */
export function complete(
  [, shell, ...words]: readonly string[],
  parser: Parser<"sync">,
  commands: readonly string[],
): number {
  setLists({
    methods: methodNames(),
    backends: backendNames,
    models: folderModels().map(({ name }) => name),
    stores: storeNames(),
  });
  // Optique's own two commands, which it does not complete itself; its own name for this one makes room for ours.
  const grammar = or(
    parser,
    command("completion", argument(choice(SHELLS))),
    command("help", argument(choice(commands))),
  );
  // The last word may become a command; else the words before it decide.
  const first = words.length > 1 ? words[0] : "";
  const bare = words.length > 1 ? ![...commands, "completion", "help"].includes(first) : words[0].startsWith("-");
  return runParserSync(grammar, "hunch", ["complete-words", shell, ...bare ? ["generate"] : [], ...words], {
    completion: { command: { names: ["complete-words"] }, onShow: (code: number) => code },
    help: { option: { names: ["--help", "-h"] }, onShow: (code: number) => code },
    version: { value: VERSION, option: { names: ["--version", "-V"] }, onShow: (code: number) => code },
    stdout: (text) => stdout.line(text),
    stderr: () => {},
    aboveError: "none",
    onError: (_code, error) => {
      throw new HunchError("usage", formatMessage(error, { quotes: false }).replaceAll(/\s+/g, " "));
    },
  }) as number;
}

function methodNames(): Lists["methods"] {
  return Object.fromEntries(
    Object.keys(KINDS).map((kind) => [
      kind,
      builtin.filter((plugin) => plugin.kind === kind)
        .map(({ name, argument }) => argument === undefined || argument.startsWith("[") ? name : `${name}:`),
    ]),
  );
}
