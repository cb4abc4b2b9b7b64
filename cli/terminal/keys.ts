// What a terminal sends in raw mode, as keys, text and pastes. A paste comes between two marks where the terminal was
// asked for them (bracketed paste), so that its line breaks are text and not the Enter key.

export type Key =
  | "enter"
  | "newline"
  | "tab"
  | "left"
  | "right"
  | "up"
  | "down"
  | "home"
  | "end"
  | "word left"
  | "word right"
  | "previous"
  | "next"
  | "backspace"
  | "delete"
  | "delete word"
  | "delete word right"
  | "delete to start"
  | "delete to end"
  | "redraw"
  | "interrupt"
  | "end of input"
  | "suspend"
  | { readonly typed: string }
  | { readonly pasted: string };

export const PASTES_ON = "\x1b[?2004h";
export const PASTES_OFF = "\x1b[?2004l";
const PASTE = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** Control characters, and what follows Escape: for Alt, or from keys that send more than one character. */
const KEYS: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter", // typed ahead, while the terminal translated
  "\t": "tab",
  "\x01": "home",
  "\x02": "left",
  "\x03": "interrupt",
  "\x04": "end of input",
  "\x05": "end",
  "\x06": "right",
  "\x08": "backspace",
  "\x0b": "delete to end",
  "\x0c": "redraw",
  "\x0e": "next",
  "\x10": "previous",
  "\x15": "delete to start",
  "\x17": "delete word",
  "\x1a": "suspend",
  "\x7f": "backspace",
  "\x1b\r": "newline",
  "\x1b\n": "newline",
  "\x1b[13;2u": "newline",
  "\x1b[13;5u": "newline",
  "\x1b[27;2;13~": "newline",
  "\x1b[27;5;13~": "newline",
  "\x1bb": "word left",
  "\x1bf": "word right",
  "\x1bd": "delete word right",
  "\x1b\x7f": "delete word",
  "\x1b\x08": "delete word",
  "\x1b[A": "up",
  "\x1b[B": "down",
  "\x1b[C": "right",
  "\x1b[D": "left",
  "\x1b[H": "home",
  "\x1b[F": "end",
  "\x1bOA": "up",
  "\x1bOB": "down",
  "\x1bOC": "right",
  "\x1bOD": "left",
  "\x1bOH": "home",
  "\x1bOF": "end",
  "\x1b[1~": "home",
  "\x1b[7~": "home",
  "\x1b[4~": "end",
  "\x1b[8~": "end",
  "\x1b[3~": "delete",
  "\x1b[1;3C": "word right",
  "\x1b[1;5C": "word right",
  "\x1b[1;3D": "word left",
  "\x1b[1;5D": "word left",
};

/** One unit of what a terminal sends: an escape sequence, a control character, or text up to the next of them. */
const UNIT = /\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]|O[\x40-\x7e]|[^\[O])|[\x00-\x1a\x1c-\x1f\x7f]|[^\x00-\x1f\x7f]+/y;
/** An escape sequence that may go on in the next piece. */
const UNFINISHED = /^\x1b(?:\[[\x20-\x3f]*|O)?$/;

export class KeyDecoder {
  readonly #decoder = new TextDecoder();
  #rest = "";
  /** Pieces of the paste that has not ended. */
  #paste: string[] | undefined;

  /** The keys in a piece of what the terminal sent; what is not complete waits for the next piece. */
  feed(bytes: Uint8Array): Key[] {
    const keys: Key[] = [];
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    this.#rest = "";
    if (text === "\x1b") return keys; // the Escape key
    while (text !== "") {
      if (this.#paste !== undefined) {
        text = this.#goOn(text, keys);
        continue;
      }
      const unit = this.#unit(text);
      if (unit === undefined) break;
      text = text.slice(unit.length);
      if (unit === PASTE) this.#paste = [];
      else if (Object.hasOwn(KEYS, unit)) keys.push(KEYS[unit]);
      else if (unit.charCodeAt(0) >= 32 && unit !== "\x7f") keys.push({ typed: unit });
    }
    return keys;
  }

  /** Undefined where the text holds only the beginning of one, which is kept. */
  #unit(text: string): string | undefined {
    UNIT.lastIndex = 0;
    const unit = UNIT.exec(text)?.[0];
    if (unit !== undefined) return unit;
    if (UNFINISHED.test(text)) {
      this.#rest = text;
      return undefined;
    }
    return text[0]; // a sequence that nobody knows: Escape is left out, the rest is text
  }

  /** Takes what belongs to the paste and returns the rest. The end mark may be cut in two. */
  #goOn(text: string, keys: Key[]): string {
    const end = text.indexOf(PASTE_END);
    if (end >= 0) {
      this.#paste!.push(text.slice(0, end));
      keys.push({ pasted: this.#paste!.join("").replaceAll(/\r\n?/g, "\n") });
      this.#paste = undefined;
      return text.slice(end + PASTE_END.length);
    }
    let held = Math.min(PASTE_END.length - 1, text.length);
    while (held > 0 && !text.endsWith(PASTE_END.slice(0, held))) held--;
    this.#paste!.push(text.slice(0, text.length - held));
    this.#rest = text.slice(text.length - held);
    return "";
  }
}
