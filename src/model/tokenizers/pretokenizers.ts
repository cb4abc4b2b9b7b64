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

/** Letters with case, as DeepSeek's first models have them: those of an older Unicode, and not all. */
const CASED =
  "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376" +
  "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f" +
  "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77" +
  "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d" +
  "\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4" +
  "\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139" +
  "\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d" +
  "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a" +
  "\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}" +
  "\u{118a0}-\u{118df}\u{1e900}-\u{1e943}";
/** U+0800 to Han's end, and Korean. */
const IDEOGRAPHS = "[一-龥\u0800-一가-\ud7ff]+";
const DEEPSEEK_PUNCTUATION = "[!-/:-~！-／：-～‘-‟\u3000-。]+";

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
  // Merges of these never cross what several expressions cut one after the other.
  deepseekLlm: [
    "[\\r\\n]",
    `${S}?[${CASED}]+`,
    `${S}?${DEEPSEEK_PUNCTUATION}`,
    // White space at the end, only looked for where it begins: elsewhere long stretches of it cost their square.
    `(?<!${S})${S}+$`,
    IDEOGRAPHS,
    "\\p{N}",
  ],
  deepseekCoder: ["[\\r\\n]", `${S}?\\p{L}+`, `${S}?\\p{P}+`, IDEOGRAPHS, "\\p{N}"],
  seedCoder: [
    `${CONTRACTION}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^${S}\\p{L}\\p{N}\\r\\n]+|${S}*[\\r\\n]+|${SPACES}`,
  ],
  falcon: ["[\\p{P}$+<=>^~|`]+", gpt2, "\\p{N}+", "[0-9]{3}"],
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
name("llama3", "dbrx smaug-bpe chatglm-bpe glm4");
name("qwen2", "qwen2 deepseek-r1-qwen kormo stablelm2 hunyuan megrez solar-open");
name("qwen35", "qwen35");
name("tekken", "tekken", true, true);
name("gpt4o", "gpt-4o llama4 kanana2");
name("default", "default");
name("deepseekLlm", "deepseek-llm");
name("deepseekCoder", "deepseek-coder");
name("seedCoder", "seed-coder");
name("falcon", "falcon");

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

/** Expressions as `tokenizer.json` files write them, one to a line where they come one after the other. */
const EXPRESSIONS = new Map<string, PreTokenizerKind>();
/** What the steps `Digits` of single ones and `ByteLevel` cut by. */
export const EACH_DIGIT = "\\p{N}", BYTE_LEVEL = "ByteLevel";
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
  EXPRESSIONS.set(
    `${contraction}|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|${tail}`,
    "seedCoder",
  );
  EXPRESSIONS.set(BYTE_LEVEL, "gpt2");
  const inTurn = (kind: PreTokenizerKind, ...steps: string[]) => EXPRESSIONS.set(steps.join("\n"), kind);
  inTurn("digits", EACH_DIGIT, BYTE_LEVEL);
  inTurn("deepseekLlm", "[\r\n]", `\\s?[${CASED}]+`, `\\s?${DEEPSEEK_PUNCTUATION}`, "\\s+$", IDEOGRAPHS, EACH_DIGIT);
  inTurn("deepseekCoder", "[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", IDEOGRAPHS, EACH_DIGIT);
}

/** The pre-tokenizer that has these regular expressions, in turn. Throws HunchError("input") where none has. */
export function expressionPreTokenizer(expressions: readonly string[], place: Place): PreTokenizerKind {
  const found = EXPRESSIONS.get(expressions.join("\n"));
  if (found) return found;
  const shown = JSON.stringify(expressions.join(" ").slice(0, 120));
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
