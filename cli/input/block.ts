// Turns of several lines, where each line is given by itself: a line that ends with a backslash goes on in the next one,
// and what stands between two """ belongs to the turn as it is.

const QUOTES = '"""';

/** True where a turn that begins so goes on until its quotes are closed. */
export const opensQuotes = (text: string): boolean => text.startsWith(QUOTES);

const closesQuotes = (text: string, alone: boolean): boolean => {
  const end = text.trimEnd();
  return end.endsWith(QUOTES) && (!alone || end.length >= 2 * QUOTES.length);
};

/** What stands in quotes; undefined where they are not closed. Quotes on lines of their own add no empty lines. */
export function quoted(text: string): string | undefined {
  if (!closesQuotes(text, true)) return undefined;
  return text.trimEnd().slice(QUOTES.length, -QUOTES.length).replace(/^\n/, "").replace(/\n$/, "");
}

/** Puts lines together to turns. */
export class Block {
  #lines: string[] = [];

  /** The next line; the whole turn where it is complete with it. */
  add(line: string): string | undefined {
    const first = this.#lines.length === 0;
    if (opensQuotes(first ? line : this.#lines[0])) {
      this.#lines.push(line);
      return closesQuotes(line, first) ? quoted(this.#take()) : undefined;
    }
    const goesOn = line.endsWith("\\");
    this.#lines.push(goesOn ? line.slice(0, -1) : line);
    return goesOn ? undefined : this.#take();
  }

  /** What there is of a turn that nobody ended; undefined where there is nothing. */
  end(): string | undefined {
    if (this.#lines.length === 0) return undefined;
    const text = this.#take();
    return opensQuotes(text) ? text.slice(QUOTES.length).replace(/^\n/, "") : text;
  }

  #take(): string {
    const text = this.#lines.join("\n");
    this.#lines = [];
    return text;
  }
}
