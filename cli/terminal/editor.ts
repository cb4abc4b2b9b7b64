// The text that is being typed: what each key does to it, whatever it looks like on the screen.
import { opensQuotes, quoted } from "../input/block.ts";
import type { Key } from "./keys.ts";

/** What a key asks of whoever runs the editor: the turn is complete, or the key is about more than the text. */
export type Outcome = { readonly turn: string } | "interrupt" | "end of input" | "suspend" | "redraw";

const segmenter = new Intl.Segmenter();

export class Editor {
  #text = "";
  /** In UTF-16 units, never inside a character as people see it. */
  #cursor = 0;
  /** A paste at the very beginning is text, whatever quotes it opens with. */
  #literal = false;
  /** Place in the history; its length: what is being typed. */
  #place: number;
  #draft = { text: "", literal: false };

  /** `history`: earlier turns, oldest first. `words`: commands that the Tab key completes. */
  constructor(private readonly history: readonly string[], private readonly words: readonly string[]) {
    this.#place = history.length;
  }

  get text(): string {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  press(key: Key): Outcome | undefined {
    if (typeof key !== "string") {
      if ("typed" in key) return this.#insert(key.typed);
      if (this.#cursor === 0) this.#literal = true;
      return this.#insert(key.pasted);
    }
    switch (key) {
      case "enter":
        return this.#enter();
      case "newline":
        return this.#insert("\n");
      case "tab":
        return this.#complete();
      case "interrupt":
        if (this.#text === "") return "interrupt";
        return this.#set("");
      case "end of input":
        return this.#text === "" ? "end of input" : this.#remove(this.#cursor, this.#after(this.#cursor));
      case "suspend":
      case "redraw":
        return key;
      case "left":
        return this.#go(this.#before(this.#cursor));
      case "right":
        return this.#go(this.#after(this.#cursor));
      case "home":
        return this.#go(this.#lineStart());
      case "end":
        return this.#go(this.#lineEnd());
      case "word left":
        return this.#go(this.#wordStart());
      case "word right":
        return this.#go(this.#wordEnd());
      case "up":
        return this.#lineStart() === 0 ? this.#recall(-1) : this.#vertically(-1);
      case "down":
        return this.#lineEnd() === this.#text.length ? this.#recall(1) : this.#vertically(1);
      case "previous":
        return this.#recall(-1);
      case "next":
        return this.#recall(1);
      case "backspace":
        return this.#remove(this.#before(this.#cursor), this.#cursor);
      case "delete":
        return this.#remove(this.#cursor, this.#after(this.#cursor));
      case "delete word":
        return this.#remove(this.#wordStart(), this.#cursor);
      case "delete word right":
        return this.#remove(this.#cursor, this.#wordEnd());
      case "delete to start":
        return this.#remove(this.#lineStart(), this.#cursor);
      case "delete to end":
        return this.#remove(this.#cursor, this.#lineEnd());
    }
  }

  #enter(): Outcome | undefined {
    const text = this.#text;
    if (this.#literal) return { turn: text };
    if (opensQuotes(text)) {
      const turn = quoted(text);
      return turn === undefined ? this.#goOn(text) : { turn };
    }
    return text.endsWith("\\") ? this.#goOn(text.slice(0, -1)) : { turn: text };
  }

  /** The next line of a turn that is not complete, wherever the cursor stands. */
  #goOn(text: string): undefined {
    this.#text = `${text}\n`;
    this.#cursor = this.#text.length;
  }

  #insert(text: string): undefined {
    this.#text = this.#text.slice(0, this.#cursor) + text + this.#text.slice(this.#cursor);
    this.#cursor += text.length;
  }

  #remove(from: number, to: number): undefined {
    this.#text = this.#text.slice(0, from) + this.#text.slice(to);
    this.#cursor = from;
    if (this.#text === "") this.#literal = false;
  }

  #set(text: string, literal = false): undefined {
    this.#text = text;
    this.#cursor = text.length;
    this.#literal = literal;
    if (text === "") this.#place = this.history.length;
  }

  #go(cursor: number): undefined {
    this.#cursor = cursor;
  }

  #recall(step: -1 | 1): undefined {
    const place = this.#place + step;
    if (place < 0 || place > this.history.length) return;
    if (this.#place === this.history.length) this.#draft = { text: this.#text, literal: this.#literal };
    const { text, literal } = place < this.history.length
      ? { text: this.history[place], literal: this.history[place].includes("\n") } // complete as it is
      : this.#draft;
    this.#set(text, literal);
    this.#place = place;
  }

  #complete(): undefined {
    const found = this.words.filter((word) => word.startsWith(this.#text));
    if (!this.#text.startsWith("/") || found.length === 0) return;
    let common = found[0];
    for (const word of found) while (!word.startsWith(common)) common = common.slice(0, -1);
    this.#set(found.length === 1 ? `${common} ` : common);
  }

  #lineStart(): number {
    return this.#cursor === 0 ? 0 : this.#text.lastIndexOf("\n", this.#cursor - 1) + 1;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#cursor);
    return end < 0 ? this.#text.length : end;
  }

  #before(cursor: number): number {
    if (cursor === 0 || this.#text[cursor - 1] === "\n") return Math.max(0, cursor - 1);
    const start = this.#lineStart();
    return start + segmenter.segment(this.#text.slice(start, cursor)).containing(cursor - start - 1)!.index;
  }

  #after(cursor: number): number {
    if (cursor === this.#text.length || this.#text[cursor] === "\n") return Math.min(this.#text.length, cursor + 1);
    return cursor + segmenter.segment(this.#text.slice(cursor, this.#lineEnd())).containing(0)!.segment.length;
  }

  #wordStart(): number {
    return this.#cursor -
      this.#text.slice(0, this.#cursor).match(/[\p{L}\p{N}\p{M}_]*[^\p{L}\p{N}\p{M}_]*$/u)![0].length;
  }

  #wordEnd(): number {
    return this.#cursor + this.#text.slice(this.#cursor).match(/^[^\p{L}\p{N}\p{M}_]*[\p{L}\p{N}\p{M}_]*/u)![0].length;
  }

  /** To the line above or below, as far from its start, but never inside a character. */
  #vertically(step: -1 | 1): undefined {
    const column = this.#cursor - this.#lineStart();
    const start = step < 0 ? this.#text.lastIndexOf("\n", this.#lineStart() - 2) + 1 : this.#lineEnd() + 1;
    const end = this.#text.indexOf("\n", start);
    const line = this.#text.slice(start, end < 0 ? this.#text.length : end);
    this.#cursor = start +
      (column >= line.length ? line.length : segmenter.segment(line).containing(column)?.index ?? 0);
  }
}
