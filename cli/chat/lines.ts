// Turns from whoever talks: typed at a terminal with editing and history, or line by line from a pipe.
import { isatty } from "node:tty";
import { Block } from "../input/block.ts";
import { stderr, stdout, type Stream } from "../output/streams.ts";
import { Editor, type Outcome } from "../terminal/editor.ts";
import { type Key, KeyDecoder, PASTES_OFF, PASTES_ON } from "../terminal/keys.ts";
import { Screen } from "../terminal/screen.ts";
import { stdinLines } from "../input/text.ts";

export interface TurnReader {
  readonly interactive: boolean;
  /** Where the last turn came from, for complaints about it; "" at a terminal. */
  readonly place: string;
  /**
   * The next turn; undefined at the end, and at Ctrl-C where nothing is typed. Throws HunchError where a line is no text:
   * the next one may be.
   */
  next(): Promise<string | undefined>;
  /** The answer to a question of ours; always undefined on a pipe. */
  ask(question: string): Promise<string | undefined>;
}

/** `history`: earlier turns, oldest first; what is typed is added. `words` are completed by the Tab key. */
export function openTurnReader(prompt: string, history: string[], words: readonly string[]): TurnReader {
  const terminal = isatty(0) && (stdout.terminal || stderr.terminal);
  return terminal ? new TypedTurns(stdout.terminal ? stdout : stderr, prompt, history, words) : new PipedTurns();
}

class PipedTurns implements TurnReader {
  readonly interactive = false;
  readonly #lines = stdinLines();
  #number = 0;

  get place(): string {
    return `line ${this.#number}: `;
  }

  async next(): Promise<string | undefined> {
    const block = new Block();
    for (let { value, done } = await this.#lines.next(); !done; { value, done } = await this.#lines.next()) {
      this.#number = value.number;
      const turn = block.add(value.text);
      if (turn !== undefined) return turn;
    }
    return block.end();
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

/** Windows stops and ends programs in other ways. */
const SIGNALS = process.platform !== "win32";

/** Between turns the terminal is in its usual mode, so that Ctrl-C is a signal while an answer is made. */
class TypedTurns implements TurnReader {
  readonly interactive = true;
  readonly place = "";
  readonly #decoder = new KeyDecoder();
  /** Keys behind the last turn, typed ahead. */
  #ahead: Key[] = [];

  constructor(
    private readonly stream: Stream,
    private readonly prompt: string,
    private readonly history: string[],
    private readonly words: readonly string[],
  ) {}

  async next(): Promise<string | undefined> {
    const turn = (await this.#edit(new Editor(this.history, this.words), this.prompt))?.replace(/\n+$/, "");
    if (turn !== undefined && turn.trim() !== "" && turn !== this.history.at(-1)) this.history.push(turn);
    return turn;
  }

  async ask(question: string): Promise<string | undefined> {
    this.stream.line(question);
    return await this.#edit(new Editor([], []), "? ");
  }

  /** Runs the editor until a turn is complete; undefined at the end of input and at Ctrl-C. */
  #edit(editor: Editor, prompt: string): Promise<string | undefined> {
    const { stdin } = process;
    const { stream } = this;
    const screen = new Screen(stream, prompt, "… ");
    return new Promise((resolve, reject) => {
      const redraw = (clear: boolean) => screen.renew(editor.text, editor.cursor, clear);
      const resized = () => redraw(false);
      const enter = () => {
        stdin.setRawMode(true);
        stream.write(PASTES_ON);
      };
      const leave = () => {
        stream.write(PASTES_OFF);
        stdin.setRawMode(false);
      };
      const killed = () => {
        try {
          leave();
        } finally {
          process.exit(143);
        }
      };
      const suspend = () => {
        screen.finish();
        leave();
        process.once("SIGCONT", () => {
          enter();
          redraw(false);
        });
        process.kill(process.pid, "SIGTSTP");
      };
      const stop = () => {
        stdin.off("data", read).off("end", closed).pause();
        process.stdout.off("resize", resized);
        if (SIGNALS) process.off("SIGTERM", killed);
      };
      const end = (turn: string | undefined) => {
        stop();
        screen.finish();
        leave();
        resolve(turn);
      };
      const closed = () => end(undefined);
      const act = (outcome: Outcome): boolean => {
        if (outcome === "suspend" && SIGNALS) suspend();
        else if (outcome === "suspend" || outcome === "redraw") redraw(true);
        else end(typeof outcome === "string" ? undefined : outcome.turn);
        return outcome !== "suspend" && outcome !== "redraw";
      };
      const press = (keys: Key[]) => {
        for (let i = 0; i < keys.length; i++) {
          const outcome = editor.press(keys[i]);
          if (outcome === undefined) continue;
          screen.draw(editor.text, editor.cursor); // as it was when the key came
          if (!act(outcome)) continue;
          this.#ahead = keys.slice(i + 1);
          return;
        }
        screen.draw(editor.text, editor.cursor);
      };
      const read = (bytes: Uint8Array) => {
        try {
          press(this.#decoder.feed(bytes));
        } catch (error) { // the terminal is gone
          stop();
          reject(error);
        }
      };

      enter();
      if (SIGNALS) process.on("SIGTERM", killed);
      process.stdout.on("resize", resized);
      stdin.on("data", read).on("end", closed).resume();
      const ahead = this.#ahead;
      this.#ahead = [];
      press(ahead);
    });
  }
}
