// hunch generate, which a bare `hunch "prompt"` is short for: one answer, or with --jsonl one for each line of stdin.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { HunchError } from "../../src/errors.ts";
import { type GenerateCommand, generateOptions } from "../generate/options.ts";

export const generateCommand = command("generate", generateOptions, {
  brief: message`Answer one prompt, or one per line. Also what a bare ${"hunch PROMPT"} does.`,
  description: message`Answers a prompt from the argument, files or stdin.`,
}).map((options) => () => run(options));

async function run(options: GenerateCommand): Promise<number> {
  refuseContradictions(options);
  if (options.showPrompt) return (await import("../generate/show-prompt.ts")).showPrompt(options);
  return options.jsonl
    ? (await import("../generate/answer-lines.ts")).answerLines(options)
    : (await import("../generate/answer.ts")).answer(options);
}

function refuseContradictions(options: GenerateCommand): void {
  if (options.logprobs !== undefined && !options.json && !options.jsonl) {
    throw new HunchError("usage", "--logprobs has no place in plain text", { hint: "add --json or --jsonl" });
  }
  if (options.jsonl) {
    const refused = { "--json": options.json, "--file": options.files.length > 0, "--show-tree": options.showTree };
    for (const [name, given] of Object.entries(refused)) {
      if (given) throw new HunchError("usage", `--jsonl and ${name} do not go together`, { hint: `leave ${name} out` });
    }
    if (options.prompt !== undefined) {
      throw new HunchError("usage", "--jsonl takes its prompts from stdin", { hint: "leave the PROMPT argument out" });
    }
  }
}
