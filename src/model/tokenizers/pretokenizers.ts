// How text is cut into pieces before byte-pair encoding; merges never cross a cut. Named as llama.cpp names them in
// `tokenizer.ggml.pre`, and found again by the regular expressions that `tokenizer.json` files carry.
//
// A file's own expression is never run: a known one is recognised letter by letter, an unknown one is refused, so that
// nothing is cut wrongly and no file can bring an expression that never ends. Those here were run on megabytes of one
// letter, of spaces, of emoji and of marks, in Bun's engine and in Deno's: all are linear.
//
// White space is `\p{White_Space}`: JavaScript's `\s` has the byte order mark and lacks U+0085, unlike everybody's.
import { HunchError, type Place } from "../../errors.ts";

const S = "\\p{White_Space}";
const CONTRACTION = "'(?:[sSſ]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
const UPPER = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
const LOWER = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";
/** Runs of white space leave their last character to what follows. */
const SPACES = `${S}+(?![^${S}])|${S}+`;

const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${S}\\p{L}\\p{N}]+|${SPACES}`;
/** Each digit alone, then `gpt2` on what is left: so white space before a digit stays whole. */
const digits = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^${S}\\p{L}\\p{N}]+|${S}+(?![^${S}\\p{N}])|${S}+`;
const modern = (number: string, letters = "\\p{L}", newlines = "[\\r\\n]+") =>
  `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?[${letters}]+|${number}| ?[^${S}${letters}\\p{N}]+[\\r\\n]*|${S}*${newlines}|${SPACES}`;
const cased = (number: string, suffix: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]*[${LOWER}]+${suffix}|[^\\r\\n\\p{L}\\p{N}]?[${UPPER}]+[${LOWER}]*${suffix}` +
  `|${number}| ?[^${S}\\p{L}\\p{N}]+[\\r\\n/]*|${S}*[\\r\\n]+|${SPACES}`;

const whole = modern("\\p{N}{1,3}"), single = modern("\\p{N}");
/** Stages: each cuts the pieces of the one before, at its matches and between them. */
const STAGES = {
  gpt2: [gpt2],
  digits: [digits],
  llama3: [whole],
  cl100k: [modern("\\p{N}{1,3}", "\\p{L}", "[\\r\\n]")],
  qwen2: [single],
  qwen35: [modern("\\p{N}", "\\p{L}\\p{M}")],
  tekken: [cased("\\p{N}", "")],
  gpt4o: [cased("\\p{N}{1,3}", `(?:${CONTRACTION})?`)],
  default: ["[\\p{P}$+<=>^~|]+", gpt2, "\\p{N}+", "[0-9]{3}"],
} as const;

export type PreTokenizerKind = keyof typeof STAGES;

interface Named {
  readonly kind: PreTokenizerKind;
  /** A piece that is a token as a whole is that token, whatever the merges say. */
  readonly wholePieces: boolean;
  /** The beginning-of-text token goes in front where the file does not say. */
  readonly begin: boolean;
}

const NAMES = new Map<string, Named>();
function name(kind: PreTokenizerKind, names: string, wholePieces = false, begin = false) {
  for (const each of names.split(" ")) NAMES.set(each, { kind, wholePieces, begin });
}
name("gpt2", "gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat a.x-4.0 mellum exaone4");
name("digits", "smollm starcoder refact command-r codeshell exaone minerva-7b mellum2");
name("llama3", "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2", true, true);
name("llama3", "dbrx smaug-bpe");
name("qwen2", "qwen2 deepseek-r1-qwen kormo stablelm2 hunyuan megrez solar-open");
name("qwen35", "qwen35");
name("tekken", "tekken", true, true);
name("gpt4o", "gpt-4o llama4 kanana2");
name("default", "default");

/** The pre-tokenizer of `tokenizer.ggml.pre`. Throws HunchError("input") for an unknown one. */
export function namedPreTokenizer(id: string, place: Place): Named {
  const found = NAMES.get(id);
  if (found) return found;
  const hint = `supported are ${[...NAMES.keys()].join(", ")}`;
  throw new HunchError("input", `the pre-tokenizer ${JSON.stringify(id.slice(0, 80))} is not supported`, {
    ...place,
    hint,
  });
}

/** Expressions as `tokenizer.json` files write them. */
const EXPRESSIONS = new Map<string, PreTokenizerKind>();
{
  const tail = "\\s+(?!\\S)|\\s+";
  const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  const body = (number: string, letters = "\\p{L}", some = "\\p{L}+") =>
    `${contraction}|[^\\r\\n\\p{L}\\p{N}]?${some}|${number}| ?[^\\s${letters}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|${tail}`;
  const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  const byCase = (number: string, suffix: string) =>
    `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${suffix}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${suffix}|${number}` +
    `| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|${tail}`;
  EXPRESSIONS.set(`'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|${tail}`, "gpt2");
  EXPRESSIONS.set(`'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|${tail}`, "gpt2");
  EXPRESSIONS.set(body("\\p{N}{1,3}"), "llama3");
  EXPRESSIONS.set(body("\\p{N}"), "qwen2");
  EXPRESSIONS.set(body("\\p{N}", "\\p{L}\\p{M}", "[\\p{L}\\p{M}]+"), "qwen35");
  for (const [possessive, plus] of [["?+", "++"], ["?", "+"]]) {
    EXPRESSIONS.set(
      `'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]${possessive}\\p{L}+|\\p{N}{1,3}` +
        `| ?[^\\s\\p{L}\\p{N}]${plus}[\\r\\n]*|\\s*[\\r\\n]|${tail}`,
      "cl100k",
    );
  }
  EXPRESSIONS.set(byCase("\\p{N}", ""), "tekken");
  EXPRESSIONS.set(byCase("\\p{N}{1,3}", `${contraction}?`), "gpt4o");
}

/** The pre-tokenizer that has this regular expression. Throws HunchError("input") where none has. */
export function expressionPreTokenizer(expression: string, place: Place): PreTokenizerKind {
  const found = EXPRESSIONS.get(expression);
  if (found) return found;
  const shown = JSON.stringify(expression.slice(0, 120));
  throw new HunchError("input", `text is cut by an expression that is not supported: ${shown}`, place);
}

/** Cuts text into pieces and tells each one's end, in UTF-16 units; the first begins at 0, the last ends the text. */
export type PreTokenizer = (text: string, piece: (from: number, to: number) => void) => void;

export function preTokenizer(kind: PreTokenizerKind): PreTokenizer {
  const stages = STAGES[kind].map((source) => new RegExp(source, "gu"));
  return (text, piece) => cut(stages, 0, text, 0, piece);
}

function cut(stages: RegExp[], stage: number, text: string, base: number, piece: (from: number, to: number) => void) {
  if (stage === stages.length) return piece(base, base + text.length);
  const expression = stages[stage];
  const last = stage + 1 === stages.length;
  const emit = (from: number, to: number) => {
    if (last) piece(base + from, base + to);
    else cut(stages, stage + 1, text.slice(from, to), base + from, piece);
  };
  expression.lastIndex = 0;
  let at = 0;
  // The end of a match is where `lastIndex` stands; its beginning is only needed where expressions leave gaps.
  if (stages.length === 1) {
    while (at < text.length && expression.test(text)) {
      piece(base + at, base + expression.lastIndex);
      at = expression.lastIndex;
    }
    if (at < text.length) piece(base + at, base + text.length);
    return;
  }
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    const end = expression.lastIndex;
    if (match.index > at) emit(at, match.index);
    emit(match.index, end);
    at = end;
    expression.lastIndex = end;
  }
  if (at < text.length) emit(at, text.length);
}
