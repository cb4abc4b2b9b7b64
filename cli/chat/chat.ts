// The conversation loop: what is typed is answered, what starts with a slash is a command.
import { EXIT, HunchError } from "../../src/errors.ts";
import type { Piece } from "../../src/round/generate.ts";
import { type ChatControls, COMMAND_WORDS, isCommand, runCommand } from "./commands.ts";
import { stateFolder } from "../cache/state-folder.ts";
import { ChatState } from "./state.ts";
import type { ChatCommand } from "./options.ts";
import { type Answer, Conversation } from "./conversation.ts";
import { describe } from "../output/failure.ts";
import { interruptible } from "../input/interrupt.ts";
import { openTurnReader, type TurnReader } from "./lines.ts";
import { type Paint, paintFor } from "../output/colour.ts";
import { Status } from "../output/status.ts";
import { ClosedPipe, stderr, stdout } from "../output/streams.ts";
import { cutLine, shortSummary, type Summary, summaryLines } from "../output/summary.ts";
import { AnswerWriter } from "../output/writer.ts";
import { ownSystem } from "./own-system.ts";
import { asOption, refuseIdle, samplingOf, seedOf } from "../input/sampling.ts";
import { Session } from "../engine/session.ts";
import { refuseUntold, templateOf, type TemplateSettings, variablesFor } from "../input/template.ts";

/** Returns the exit code. */
export async function chat(options: ChatCommand): Promise<number> {
  const folder = stateFolder();
  const state = folder === undefined ? undefined : new ChatState(folder);
  if (options.forget) {
    const gone = state?.forget() ?? [];
    stdout.line(gone.length > 0 ? `removed ${gone.join(" and ")}` : "nothing was kept");
    return EXIT.ok;
  }
  const sampling = samplingOf(options, asOption);
  refuseIdle(options, sampling.temperature, asOption);
  const template = templateOf(options);
  if (options.resume && state === undefined) {
    throw new HunchError("usage", "there is no conversation to go on with", { hint: "set XDG_STATE_HOME or HOME" });
  }
  const resumed = options.resume ? await state!.last() : undefined;
  const status = new Status(stderr.terminal && options.summary !== false);
  const session = await Session.open(options, status.progress, sampling);
  try {
    if (session.source.chat === undefined) {
      const hint = 'go on from a text with: hunch --raw "Once upon a time"';
      const place = { file: session.source.path };
      throw new HunchError("usage", `${session.source.title} has no chat template`, { ...place, hint });
    }
    refuseUntold(session.source.chat, template);
    const { maxTokens, stop, overflow, system } = options;
    const settings = { sampling, seed: seedOf(options.seed), maxTokens, stop };
    const conversation = new Conversation(session, settings, overflow, system, template);
    if (resumed !== undefined) conversation.load(resumed);
    if (system !== undefined) conversation.system = system;
    status.clear();
    return await new Chat(session, conversation, template, options, status, options.history ? state : undefined).run();
  } finally {
    status.clear();
    session.close();
  }
}

class Chat implements ChatControls {
  readonly #paint: Paint = paintFor(stderr);
  readonly #reader: TurnReader;
  #last: Summary | undefined;
  /** Where turns and conversation are kept; undefined where they are not. */
  #state: ChatState | undefined;

  constructor(
    private readonly session: Session,
    readonly conversation: Conversation,
    private readonly template: TemplateSettings,
    private readonly options: ChatCommand,
    private readonly status: Status,
    state: ChatState | undefined,
  ) {
    this.#reader = openTurnReader(this.#paint.bold("> "), state?.history() ?? [], COMMAND_WORDS);
    // What scripts say is their own affair, and not to take the place of what a person said.
    this.#state = this.interactive || options.resume ? state : undefined;
  }

  get interactive(): boolean {
    return this.#reader.interactive;
  }

  async run(): Promise<number> {
    if (this.interactive) this.#greet();
    let failed = false;
    const tell = (error: unknown) => {
      stderr.line(`hunch: ${this.#reader.place}${describe(error)}`);
      failed = true;
    };
    while (true) {
      let turn: string | undefined;
      try {
        turn = await this.#reader.next();
      } catch (error) {
        if (!(error instanceof HunchError)) throw error; // the terminal is gone
        tell(error);
        continue;
      }
      if (turn === undefined) break;
      if (turn.trim() === "") continue;
      if (this.interactive) this.#keep((state) => state.add(turn));
      try {
        if (isCommand(turn)) {
          if (await runCommand(this, turn)) break;
        } else if (await this.#say((see, signal) => this.conversation.ask(turn, see, signal)) && !this.interactive) {
          return EXIT.interrupted;
        }
      } catch (error) {
        if (error instanceof ClosedPipe) throw error;
        tell(error); // what was asked cannot be done; the next thing may
      }
    }
    return failed && !this.interactive ? EXIT.partial : EXIT.ok;
  }

  async retry(): Promise<void> {
    await this.#say((see, signal) => this.conversation.retry(seedOf(undefined), see, signal));
    if ((this.options.temperature ?? 0) === 0) {
      this.note("at temperature 0 the answer is always the same; start with --temperature 0.8 for others");
    }
  }

  ownSystem(): string | undefined {
    const chat = this.session.source.chat!;
    return ownSystem(chat, variablesFor(chat, this.template));
  }

  stats(): readonly string[] | undefined {
    return this.#last && summaryLines(this.#last, this.#paint);
  }

  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.#reader.ask(question))?.trim() ?? "");
  }

  note(text: string): void {
    stderr.line(this.#paint.dim(text));
  }

  #greet(): void {
    const { messages } = this.conversation;
    this.note(`${this.session.source.title}. /help for help, Ctrl-D to end.`);
    if (this.session.news && this.options.summary !== false) this.note(this.session.news);
    if (this.options.resume) this.note(`going on with ${messages.length} messages`);
    if (this.#state?.fresh) {
      this.note(
        `what you type and the last conversation are kept in ${this.#state.folder}, readable by you alone ` +
          "(--no-history keeps nothing, hunch chat --forget removes it)",
      );
    }
  }

  /** True where the answer was interrupted. */
  async #say(ask: (see: (piece: Piece) => void, signal: AbortSignal) => Promise<Answer>): Promise<boolean> {
    const writer = new AnswerWriter(stdout, paintFor(stdout, this.options.color));
    let answer: Answer;
    try {
      answer = await interruptible((signal) =>
        ask((piece) => {
          this.status.end();
          writer.write(piece);
        }, signal)
      );
    } catch (error) {
      if (!(error instanceof ClosedPipe)) writer.end(); // what goes wrong is told on a line of its own
      throw error;
    }
    if (stdout.terminal) writer.end();
    else stdout.line();
    const { question, completion } = answer;
    const { droppedTokens } = completion.stats;
    if (droppedTokens > 0) this.note(cutLine(droppedTokens));
    this.#last = this.session.summary(question, completion);
    if (this.options.summary ?? stderr.terminal) this.note(shortSummary(this.#last));
    this.#keep((state) => state.keep(this.conversation.messages));
    return completion.finish === "aborted";
  }

  /** A folder that cannot be written to costs what would be kept, and nothing else. */
  #keep(write: (state: ChatState) => void): void {
    if (this.#state === undefined) return;
    try {
      write(this.#state);
    } catch (error) {
      this.note(`this conversation is not kept: ${describe(error)}`);
      this.#state = undefined;
    }
  }
}
