// What can be said to hunch chat beside the model: lines that start with a slash.
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { suggestion } from "../../src/suggestion.ts";
import { HunchError } from "../../src/errors.ts";
import { writeOutput } from "../../src/output-file.ts";
import { messagesText, readMessages } from "./state.ts";
import type { Conversation } from "./conversation.ts";
import { stderr } from "../output/streams.ts";

/** What the commands work on. */
export interface ChatControls {
  readonly conversation: Conversation;
  readonly interactive: boolean;
  /** What the template puts in by itself; undefined where it has nothing. */
  ownSystem(): string | undefined;
  /** A line for the person, not for a file. */
  note(text: string): void;
  /** The answer to a yes-or-no question; false where nobody can be asked. */
  confirm(question: string): Promise<boolean>;
  /** The summary of the last answer; undefined where there was none. */
  stats(): readonly string[] | undefined;
  /** Asks the last question again. */
  retry(): Promise<void>;
}

interface Command {
  /** Name of the argument, where there is one. */
  readonly argument?: string;
  readonly help: string;
  /** True ends the chat. */
  act(chat: ChatControls, argument: string): boolean | void | Promise<boolean | void>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  help: { help: "what can be said", act: help },
  reset: {
    help: "begin anew; the system prompt stays",
    act(chat) {
      chat.conversation.reset();
      chat.note("a new conversation");
    },
  },
  system: { argument: "TEXT", help: "set the system prompt and begin anew; without TEXT, show it", act: system },
  retry: { help: "answer the last question again, with other random numbers", act: (chat) => chat.retry() },
  stats: { help: "what the last answer cost", act: stats },
  save: { argument: "FILE", help: "write the conversation as JSON", act: save },
  load: { argument: "FILE", help: "go on with a conversation that was saved", act: load },
  exit: { help: "end; so do Ctrl-D, and Ctrl-C where nothing is typed", act: () => true },
};

/** As the Tab key completes them. */
export const COMMAND_WORDS: readonly string[] = Object.keys(COMMANDS).map((name) => `/${name}`);

/** True for what is a command, not a turn: a slash, letters, and a blank or nothing. */
export const isCommand = (turn: string): boolean => /^\/\w*( |$)/.test(turn);

/** Runs a command; true ends the chat. */
export async function runCommand(chat: ChatControls, turn: string): Promise<boolean> {
  const [, word, argument] = turn.match(/^\/(\S*)\s*(.*?)\s*$/s)!;
  const name = word === "quit" ? "exit" : word;
  if (Object.hasOwn(COMMANDS, name)) return await COMMANDS[name].act(chat, argument) === true;
  throw new HunchError("usage", `there is no /${name}`, {
    hint: suggestion(name, Object.keys(COMMANDS), {
      before: "/",
      otherwise: "/help lists what there is; begin with a space to say it to the model",
    }),
  });
}

function help(): void {
  for (const [name, { argument = "", help }] of Object.entries(COMMANDS)) {
    stderr.line(`  ${`/${name} ${argument}`.padEnd(14)} ${help}`);
  }
  stderr.line('  Several lines: paste them, end a line with \\, press Alt-Enter, or put them between two """.');
  stderr.line("  Ctrl-C stops an answer, or clears what is typed. Up and down recall what was said before.");
}

function system(chat: ChatControls, text: string): void {
  if (text !== "") {
    chat.conversation.system = text;
    chat.conversation.reset();
    chat.note("a new conversation");
    return;
  }
  const { system } = chat.conversation;
  const own = system === undefined ? chat.ownSystem() : undefined;
  if (own !== undefined) chat.note(`${own}\n(the chat template's own)`);
  else if (system === undefined) chat.note("no system prompt is set");
  else chat.note(system === "" ? "the system prompt is empty" : system);
}

function stats(chat: ChatControls): void {
  const lines = chat.stats();
  if (lines === undefined) chat.note("nothing was answered yet");
  else for (const line of lines) stderr.line(line);
}

async function save(chat: ChatControls, argument: string): Promise<void> {
  const file = fileOf(chat, "save", argument);
  const { messages } = chat.conversation;
  const there = existsSync(file) && statSync(file).isFile();
  if (there && !await chat.confirm(`${file} is there already. Write over it? (y or n)`)) {
    chat.note("nothing was saved");
    return;
  }
  writeOutput(file, messagesText(messages));
  chat.note(`saved ${messages.length} messages to ${file}`);
}

async function load(chat: ChatControls, argument: string): Promise<void> {
  const file = fileOf(chat, "load", argument);
  chat.conversation.load(await readMessages(file));
  chat.note(`going on with ${chat.conversation.messages.length} messages from ${file}`);
}

/** Text that comes over a pipe is not to read or write anybody's files. */
function fileOf({ interactive }: ChatControls, command: string, argument: string): string {
  if (!interactive) {
    throw new HunchError("usage", `/${command} works at a terminal only`, {
      hint: "use --jsonl to work with conversations",
    });
  }
  if (argument === "") {
    throw new HunchError("usage", `/${command} needs a file name`, { hint: `as in /${command} talk.json` });
  }
  return argument.replace(/^~(?=\/)/, homedir());
}
