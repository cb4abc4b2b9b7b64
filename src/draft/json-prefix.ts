// Where the beginning of a JSON text has got to: in which object, at which key, in which value.

/** An object or a list that is not closed yet. */
export interface Level {
  readonly kind: "object" | "list";
  /** Where it begins. */
  readonly from: number;
  /** Keys of an object that are said, the one whose value is being said among them. */
  readonly keys: string[];
  /** The values that are said whole, as they stand, by key. */
  readonly values: Map<string, string>;
  /** What comes next here: a key (or the end), a colon, a value (or the end of a list), a comma (or the end). */
  wants: "key" | "colon" | "value" | "comma";
}

export interface JsonPrefix {
  /** From the outermost; empty where all is closed. */
  readonly levels: readonly Level[];
  /** What is said of a text between quotes, or of a number, true, false or null, quote included; undefined between such. */
  readonly partial: string | undefined;
  /** How much of the text was read: less than all where what was open is closed before its end. */
  readonly length: number;
}

/**
 * Reads from the `{` or `[` on that `text` begins with. Undefined where it is no JSON, or where more characters would be
 * read than are `left`; what is read is taken off.
 */
export function jsonPrefix(text: string, budget = { left: Infinity }): JsonPrefix | undefined {
  const levels: Level[] = [];
  let at = 0;
  /** Where the value of the current key began, by depth. */
  const starts: number[] = [];
  const ended = (end: number) => {
    const level = levels[levels.length - 1];
    if (level === undefined) return;
    if (level.kind === "object") {
      level.values.set(level.keys[level.keys.length - 1], text.slice(starts[levels.length], end));
    }
    level.wants = "comma";
  };
  while (at < text.length) {
    if (--budget.left < 0) return undefined;
    const level = levels[levels.length - 1];
    const sign = text[at];
    if (/\s/.test(sign)) at++;
    else if (sign === "{" || sign === "[") {
      if (level !== undefined && level.wants !== "value") return undefined;
      starts[levels.length] = at++;
      const kind = sign === "{" ? "object" : "list";
      levels.push({ kind, from: at - 1, keys: [], values: new Map(), wants: kind === "object" ? "key" : "value" });
    } else if (level === undefined) return undefined;
    else if (sign === (level.kind === "object" ? "}" : "]")) {
      if (level.wants === "colon" || level.kind === "object" && level.wants === "value") return undefined;
      levels.pop();
      at++;
      if (levels.length === 0) return { levels, partial: undefined, length: at };
      ended(at);
    } else if (sign === ",") {
      if (level.wants !== "comma") return undefined;
      level.wants = level.kind === "object" ? "key" : "value";
      at++;
    } else if (sign === ":") {
      if (level.wants !== "colon") return undefined;
      level.wants = "value";
      at++;
    } else {
      const isKey = level.wants === "key";
      if (!isKey && level.wants !== "value" || isKey && sign !== '"') return undefined;
      const [said] = text.slice(at).match(sign === '"' ? /^"(?:[^"\\]|\\[^])*"?/ : /^[-+.\w]+/) ?? [""];
      if (said === "") return undefined;
      budget.left -= said.length;
      const whole = sign === '"' ? said.length > 1 && isClosed(said) : at + said.length < text.length;
      if (!whole) return { levels, partial: said, length: text.length };
      if (isKey) {
        level.keys.push(said.slice(1, -1));
        level.wants = "colon";
      } else {
        starts[levels.length] = at;
        ended(at + said.length);
      }
      at += said.length;
    }
  }
  return { levels, partial: undefined, length: at };
}

/** Whether the last quote of a text in quotes is not escaped. */
function isClosed(said: string): boolean {
  return /^"(?:[^"\\]|\\[^])*"$/.test(said);
}
