// What Python knows about letters: case and classes of characters.

const CASED = /[\p{Lowercase}\p{Uppercase}\p{Lt}]/u;
const UPPER = /[\p{Uppercase}\p{Lt}]/u;
/** Digits that are no decimals: superscripts, subscripts, digits in circles, and a few scripts'. */
const DIGIT = /[\p{Nd}²³¹፩-፱᧚⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒𐩀-𐩃𐹠-𐹨𑁒-𑁚🄀-🄊]/u;
/** Ideographs that are numbers. */
const HAN =
  /[〇一七万三九二五亖亿仟仨伍佰億兆什仂八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零]/u;

/** True where all characters are of the class, and there is one. */
function all(text: string, test: (character: string) => boolean): boolean {
  for (const character of text) if (!test(character)) return false;
  return text !== "";
}

const isDigit = (character: string) => DIGIT.test(character);
const isNumeric = (character: string) => /\p{N}/u.test(character) || HAN.test(character);
const isAlpha = (character: string) => /\p{L}/u.test(character);

/** The `is…()` methods of str. */
export const CLASSES: Readonly<Record<string, (text: string) => boolean>> = {
  isalpha: (text) => all(text, isAlpha),
  isdecimal: (text) => all(text, (character) => /\p{Nd}/u.test(character)),
  isdigit: (text) => all(text, isDigit),
  isnumeric: (text) => all(text, isNumeric),
  isalnum: (text) => all(text, (character) => isAlpha(character) || isDigit(character) || isNumeric(character)),
  isascii: (text) => /^[\x00-\x7f]*$/.test(text),
  isspace: (text) => all(text, (character) => SPACE.test(character)),
  islower: (text) => /\p{Lowercase}/u.test(text) && !UPPER.test(text),
  isupper: (text) => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text),
  isidentifier: (text) => /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{M}\p{Nd}\p{Pc}]*$/u.test(text),
  isprintable: (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", "")),
  istitle: isTitle,
};

/** As str.isspace(), of one character. */
export const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function isTitle(text: string): boolean {
  let within = false;
  let found = false;
  for (const character of text) {
    if (UPPER.test(character)) {
      if (within) return false;
      within = found = true;
    } else if (/\p{Lowercase}/u.test(character)) {
      if (!within) return false;
      found = true;
    } else within = false;
  }
  return found;
}

const DIGRAPHS: Readonly<Record<string, string>> = {
  Ǆ: "ǅ",
  ǆ: "ǅ",
  Ǉ: "ǈ",
  ǈ: "ǈ",
  ǉ: "ǈ",
  Ǌ: "ǋ",
  ǌ: "ǋ",
  Ǳ: "ǲ",
  ǳ: "ǲ",
};

/** One character as a title begins. */
function titleCase(character: string): string {
  if (character in DIGRAPHS) return DIGRAPHS[character];
  if (/[\u10d0-\u10ff\p{Lt}]/u.test(character)) return character; // Georgian has no capitals in titles
  const upper = character.toUpperCase();
  if (upper.length === character.length) return upper;
  if (/[\u1f80-\u1ffc]/.test(character)) return GREEK[character] ?? upper;
  const [first, ...rest] = upper;
  return first + (first === "ʼ" ? rest.join("") : rest.join("").toLowerCase());
}

/** Greek letters with a iota below: in titles it stays there. */
const GREEK: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: 0x30 }, (_, i) => 0x1f80 + i).filter((point) => (point & 8) === 0)
    .map((point) => [point, point + 8]).concat([[0x1fb3, 0x1fbc], [0x1fc3, 0x1fcc], [0x1ff3, 0x1ffc]])
    .map(([from, to]) => [String.fromCharCode(from), String.fromCharCode(to)]),
);

/** As str.capitalize(). */
export function capitalize(text: string): string {
  const [first = ""] = text;
  return titleCase(first) + lowerAfter(text, first.length);
}

/** Lower case of what stands behind `from`: a final sigma depends on what stands before it. */
function lowerAfter(text: string, from: number): string {
  const rest = text.slice(from);
  return rest.includes("Σ") && from > 0
    ? text.toLowerCase().slice(text.slice(0, from).toLowerCase().length)
    : rest.toLowerCase();
}

/** As str.title(): each run of letters begins a word. */
export function title(text: string): string {
  let within = false;
  let out = "";
  let at = 0;
  for (const character of text) {
    if (!within) out += titleCase(character);
    else out += character === "Σ" ? sigma(text, at) : character.toLowerCase();
    within = CASED.test(character);
    at += character.length;
  }
  return out;
}

function sigma(text: string, at: number): string {
  // What ends a word is a few characters away, but for marks without end.
  const from = Math.max(0, at - 4);
  return text.slice(from, at + 5).toLowerCase()[at - from] === "ς" ? "ς" : "σ";
}

export function swapCase(text: string): string {
  let out = "";
  let at = 0;
  for (const character of text) {
    if (/\p{Uppercase}/u.test(character)) out += character === "Σ" ? sigma(text, at) : character.toLowerCase();
    else out += /\p{Lowercase}/u.test(character) ? character.toUpperCase() : character;
    at += character.length;
  }
  return out;
}

/** As str.casefold(), by both of JavaScript's mappings. */
export function caseFold(text: string): string {
  let out = "";
  for (const character of text) out += character.toUpperCase().toLowerCase().replace("ς", "σ");
  return out;
}
