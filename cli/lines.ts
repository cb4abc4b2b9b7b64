// Lines from whoever talks: typed at a terminal with editing and history, or from a pipe.
import { createInterface } from "node:readline";
import { isatty } from "node:tty";
import { stderr, stdout } from "./output/streams.ts";
import { stdinLines, utf8 } from "./text.ts";

export interface LineReader {
  readonly interactive: boolean;
  /** The next line, continued where it ends with a backslash; undefined at the end, and at Ctrl-C. */
  next(): Promise<string | undefined>;
}

export function openLineReader(prompt: string, words: readonly string[]): LineReader {
  return isatty(0) && (stdout.terminal || stderr.terminal) ? new TypedLines(prompt, words) : new PipedLines();
}

class PipedLines implements LineReader {
  readonly interactive = false;
  readonly #lines = stdinLines();

  async next(): Promise<string | undefined> {
    let text = "";
    for (let { value, done } = await this.#lines.next(); !done; { value, done } = await this.#lines.next()) {
      text += utf8(value.bytes, "stdin");
      if (!text.endsWith("\\")) return text;
      text = text.slice(0, -1) + "\n";
    }
    return text === "" ? undefined : text;
  }
}

/**
 * An interface of its own for every line: between lines the terminal is in its usual mode, so that Ctrl-C is a signal
 * while an answer is made.
 */
class TypedLines implements LineReader {
  readonly interactive = true;
  #history: string[] = [];

  constructor(private readonly prompt: string, private readonly words: readonly string[]) {}

  async next(): Promise<string | undefined> {
    let text = "";
    let prompt = this.prompt;
    while (true) {
      const line = await this.#line(prompt);
      if (line === undefined) return undefined;
      text += line;
      if (!text.endsWith("\\")) return text;
      text = text.slice(0, -1) + "\n";
      prompt = "… ";
    }
  }

  #line(prompt: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      let line: string | undefined;
      const reader = createInterface({
        input: process.stdin,
        output: stdout.terminal ? process.stdout : process.stderr,
        terminal: true,
        history: this.#history,
        historySize: 1000,
        removeHistoryDuplicates: true,
        completer: (
          start: string,
        ) => [this.words.filter((word) => start.startsWith("/") && word.startsWith(start)), start],
      });
      reader.on("history", (history: string[]) => this.#history = [...history]);
      reader.on("SIGINT", () => {
        stderr.line();
        reader.close();
      });
      reader.on("close", () => {
        process.stdin.pause();
        resolve(line);
      });
      reader.question(prompt, (answer) => {
        line = answer;
        reader.close();
      });
    });
  }
}
