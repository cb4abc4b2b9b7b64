// The text that is being typed, on the screen: wrapped here and not by the terminal, so that it is known where everything
// stands, and no more of it than fits. Only rows that changed are written: a key costs the same in a long text.
import { columnsOf } from "../output/columns.ts";
import { visible as withPictures } from "../output/visible.ts";

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** Columns in front of every row. */
const MARGIN = 2;
const segmenter = new Intl.Segmenter();

export class Screen {
  /** Rows as they stand there, the cursor in row `#at`. */
  #rows: string[] = [];
  #at = 0;
  /** First visible row of the text. */
  #top = 0;
  #wrapped = new Map<string, readonly number[]>();

  /** `prompt` and `more` stand in front of the first line and the others; two columns wide. */
  constructor(
    private readonly terminal: Terminal,
    private readonly prompt: string,
    private readonly more: string,
  ) {}

  draw(text: string, cursor: number): void {
    const { columns, rows } = this.terminal;
    const room = Math.max(1, columns - MARGIN - 1); // the cursor may stand behind the last character
    const all = this.#layout(text, room);
    let at = all.length - 1;
    while (all[at].from > cursor) at--;
    const height = Math.max(1, rows - 1);
    this.#top = Math.max(0, Math.min(this.#top, at, all.length - height), at - height + 1);
    const shown = all.slice(this.#top, this.#top + height).map(({ from, to, first }, i) => {
      const hidden = i === 0 && this.#top > 0 ? "↑ " : i === height - 1 && this.#top + height < all.length ? "↓ " : "";
      return (hidden || (first ? from === 0 ? this.prompt : this.more : "  ")) + visible(text.slice(from, to));
    });
    this.#show(shown, at - this.#top, MARGIN + columnsOf(visible(text.slice(all[at].from, cursor))));
  }

  /** Leaves the text where it is and goes to the line below. */
  finish(): void {
    const below = this.#rows.length - 1 - this.#at;
    this.terminal.write((below > 0 ? `\x1b[${below}B` : "") + "\r\n");
    this.#forget();
  }

  /** Draws anew, on an empty screen or where the terminal has moved everything. */
  renew(text: string, cursor: number, clear: boolean): void {
    this.terminal.write(clear ? "\x1b[H\x1b[2J" : `${this.#at > 0 ? `\x1b[${this.#at}A` : ""}\r\x1b[J`);
    this.#forget();
    this.draw(text, cursor);
  }

  #forget(): void {
    this.#rows = [];
    this.#at = 0;
    this.#top = 0;
    this.#wrapped = new Map();
  }

  /** Rows of the text: from, to (exclusive), and whether a line begins there. */
  #layout(text: string, room: number): { from: number; to: number; first: boolean }[] {
    const wrapped = new Map<string, readonly number[]>();
    const rows: { from: number; to: number; first: boolean }[] = [];
    let start = 0;
    for (const line of text.split("\n")) {
      const breaks = wrapped.get(line) ?? this.#wrapped.get(line) ?? wrap(line, room);
      wrapped.set(line, breaks);
      breaks.forEach((from, i) =>
        rows.push({ from: start + from, to: start + (breaks[i + 1] ?? line.length), first: i === 0 })
      );
      start += line.length + 1;
    }
    this.#wrapped = wrapped;
    return rows;
  }

  #show(rows: string[], at: number, column: number): void {
    let row = this.#at;
    let out = "";
    const go = (to: number) => {
      if (to !== row) out += `\x1b[${Math.abs(to - row)}${to < row ? "A" : "B"}`;
      row = to;
    };
    rows.forEach((text, i) => {
      if (i < this.#rows.length && this.#rows[i] === text) return;
      if (i > 0 && i >= this.#rows.length) {
        go(i - 1);
        out += "\r\n"; // makes the row, where the screen ends
        row = i;
      }
      go(i);
      out += `\r${text}\x1b[K`;
    });
    if (rows.length < this.#rows.length) {
      go(rows.length);
      out += "\r\x1b[J";
    }
    go(at);
    this.terminal.write(`${out}\r\x1b[${column}C`);
    this.#rows = rows;
    this.#at = at;
  }
}

/** Where the rows of a line begin, none wider than `room`. */
function wrap(line: string, room: number): readonly number[] {
  const breaks = [0];
  if (/^[\x20-\x7e]*$/.test(line)) {
    for (let at = room; at < line.length; at += room) breaks.push(at);
    return breaks;
  }
  let used = 0;
  for (const { segment, index } of segmenter.segment(line)) {
    const own = columnsOf(visible(segment));
    if (used + own > room && used > 0) {
      breaks.push(index);
      used = 0;
    }
    used += own;
  }
  return breaks;
}

/** Control characters are shown and not obeyed; tabs take two columns. */
function visible(text: string): string {
  return withPictures(text.replaceAll("\t", "  "));
}
