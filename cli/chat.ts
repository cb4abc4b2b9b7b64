// The conversation loop: what is typed is answered, what starts with a slash is a command.
import { randomUUID } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { EXIT, HunchError } from "../src/errors.ts";
import { closest } from "../src/closest.ts";
import { choiceLine } from "./choice.ts";
import type { ChatCommand } from "./commands/chat.ts";
import { Conversation } from "./conversation.ts";
import { describe } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { openLineReader } from "./lines.ts";
import { type Paint, paintFor } from "./output/colour.ts";
import { Status } from "./output/status.ts";
import { stderr, stdout } from "./output/streams.ts";
import { shortSummary, type Summary, summaryLines } from "./output/summary.ts";
import { AnswerWriter } from "./output/writer.ts";
import { refuseIdle, samplingOf, seedOf } from "./sampling.ts";
import { Session } from "./session.ts";
import { templateOf } from "./template.ts";

/** Returns the exit code. */
export async function chat(options: ChatCommand): Promise<number> {
  const sampling = samplingOf(options);
  refuseIdle(options, sampling.temperature);
  const status = new Status(stderr.terminal && options.summary !== false);
  const session = await Session.open(options, status.progress);
  try {
    if (session.source.chat === undefined) {
      const hint = 'go on from a text with: hunch --raw "Once upon a time"';
      throw new HunchError(
        "usage",
        `${session.source.title} has no chat template`,
        { file: session.source.path },
        hint,
      );
    }
    const { maxTokens, stop, overflow, system } = options;
    const settings = { sampling, seed: seedOf(options.seed), maxTokens, stop };
    const conversation = new Conversation(session, settings, overflow, system, templateOf(options));
    status.clear();
    return await new Chat(session, conversation, options, status).run();
  } finally {
    status.clear();
    session.close();
  }
}

/** What a slash command does; true ends the chat. */
type Action = (argument: string) => boolean | void;

class Chat {
  readonly #paint: Paint = paintFor(stderr);
  #last: Summary | undefined;

  constructor(
    private readonly session: Session,
    private readonly conversation: Conversation,
    private readonly options: ChatCommand,
    private readonly status: Status,
  ) {}

  readonly #commands: Readonly<Record<string, { readonly help: string; readonly act: Action }>> = {
    help: { help: "what can be said", act: () => this.#help() },
    reset: { help: "begin anew; the system prompt stays", act: () => this.#reset() },
    system: {
      help: "TEXT  set the system prompt and begin anew; without TEXT, show it",
      act: (text) => this.#system(text),
    },
    stats: { help: "what the last answer cost", act: () => this.#stats() },
    save: { help: "FILE  write the conversation as JSON", act: (file) => this.#save(file) },
    exit: { help: "end; so do Ctrl-D, and Ctrl-C at the prompt", act: () => true },
  };

  async run(): Promise<number> {
    const reader = openLineReader(this.#paint.bold("> "), Object.keys(this.#commands).map((name) => `/${name}`));
    if (reader.interactive) {
      this.#note(`${this.session.source.title}. /help for help, Ctrl-D to end.`);
      if (this.session.choice && this.options.summary !== false) this.#note(choiceLine(this.session.choice));
    }
    let failed = false;
    for (let line = await reader.next(); line !== undefined; line = await reader.next()) {
      const text = line.trim();
      if (text === "") continue;
      try {
        if (/^\/\w*( |$)/.test(text)) {
          if (this.#command(text)) break;
        } else if (await this.#ask(text) && !reader.interactive) return EXIT.interrupted;
      } catch (error) {
        // What was asked cannot be done; the next thing may.
        if (!(error instanceof HunchError) || error.kind === "unavailable") throw error;
        stderr.line(`hunch: ${describe(error)}`);
        failed = true;
      }
    }
    if (reader.interactive) return EXIT.ok;
    return failed ? EXIT.partial : EXIT.ok;
  }

  /** True where the answer was interrupted. */
  async #ask(text: string): Promise<boolean> {
    const writer = new AnswerWriter(stdout, paintFor(stdout, this.options.color));
    const { question, completion, dropped } = await interruptible((signal) =>
      this.conversation.ask(text, (piece) => {
        this.status.end();
        writer.write(piece);
      }, signal)
    );
    if (stdout.terminal) writer.end();
    else stdout.line();
    if (dropped > 0) this.#note(`the oldest ${dropped} messages were forgotten to make room`);
    this.#last = this.session.summary(question, completion);
    if (this.options.summary ?? stderr.terminal) this.#note(shortSummary(this.#last));
    return completion.finish === "aborted";
  }

  #command(line: string): boolean {
    const [, word, argument] = line.match(/^\/(\S*)\s*(.*)$/s)!;
    const name = word === "quit" ? "exit" : word;
    if (Object.hasOwn(this.#commands, name)) return this.#commands[name].act(argument) === true;
    const near = closest(name, Object.keys(this.#commands));
    throw new HunchError(
      "usage",
      `there is no /${name}`,
      {},
      near ? `did you mean /${near}?` : "/help lists what there is; begin with a space to say it to the model",
    );
  }

  #help(): void {
    for (const [name, { help }] of Object.entries(this.#commands)) {
      const [, argument = "", text] = help.match(/^(?:([A-Z]+) {2})?(.*)$/)!;
      stderr.line(`  ${`/${name} ${argument}`.padEnd(14)} ${text}`);
    }
    stderr.line("  A line that ends with \\ goes on in the next. Ctrl-C stops an answer.");
  }

  #reset(): void {
    this.conversation.reset();
    this.#note("a new conversation");
  }

  #system(text: string): void {
    if (text === "") {
      this.#note(this.conversation.system === undefined ? "no system prompt is set" : this.conversation.system);
      return;
    }
    this.conversation.system = text;
    this.#reset();
  }

  #stats(): void {
    if (this.#last === undefined) this.#note("nothing was answered yet");
    else for (const line of summaryLines(this.#last, this.#paint)) stderr.line(line);
  }

  #save(file: string): void {
    if (file === "") throw new HunchError("usage", "/save needs a file name", {}, "as in /save talk.json");
    const part = `${file}.${randomUUID()}.part`;
    try {
      writeFileSync(part, JSON.stringify(this.conversation.messages, null, 2) + "\n");
      renameSync(part, file);
    } catch (error) {
      throw new HunchError("input", `this file cannot be written: ${(error as { code?: string }).code}`, { file });
    }
    this.#note(`saved ${this.conversation.messages.length} messages to ${file}`);
  }

  #note(text: string): void {
    stderr.line(this.#paint.dim(text));
  }
}
