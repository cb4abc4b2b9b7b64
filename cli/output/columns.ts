// How wide a terminal shows a text.
import stringWidth from "string-width";

/** Of short texts that are not ASCII, such as single characters: finding it out takes a while. */
const known = new Map<string, number>();
const MOST_KNOWN = 10_000;

/** Columns that a terminal gives a text: wide scripts and emoji take two, combining marks and colours none. */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  if (text.length > 16) return stringWidth(text);
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size > MOST_KNOWN) known.clear();
  const columns = stringWidth(text);
  known.set(text, columns);
  return columns;
}
