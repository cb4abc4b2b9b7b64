// The `normalizer` and `pre_tokenizer` of a tokenizer.json, as far as supported models use them; anything else is
// refused by name.
import type { Json } from "./json.ts";
import { BYTE_LEVEL, EACH_DIGIT, expressionPreTokenizer, type PreTokenizerKind } from "./pretokenizers.ts";
import type { Prefix } from "./sentencepiece.ts";

/** The steps of a part: itself, or those inside its sequences. */
function steps(part: Json, list: "normalizers" | "pretokenizers"): Json[] {
  if (part.isAbsent) return [];
  if (part.get("type").text() !== "Sequence") return [part];
  return part.get(list).items().flatMap((step) => {
    if (step.get("type").text() === "Sequence") throw step.fail("a sequence in a sequence is not supported");
    return [step];
  });
}

function unsupported(step: Json): Error {
  const type = step.get("type").text() ?? "nothing";
  return step.fail(`the step ${JSON.stringify(type.slice(0, 60))} is not supported as it stands here`);
}

export function isByteLevel(preTokenizer: Json): boolean {
  return steps(preTokenizer, "pretokenizers").some((step) => step.get("type").text() === "ByteLevel");
}

/** How a byte-level tokenizer cuts text: by the expressions of its steps, in turn. */
export function byteLevelCut(preTokenizer: Json): { kind: PreTokenizerKind; spaceFirst: boolean } {
  const list = steps(preTokenizer, "pretokenizers");
  const last = list[list.length - 1];
  if (last.get("type").text() !== "ByteLevel") throw unsupported(list[0]);
  const spaceFirst = last.get("add_prefix_space").flag() ?? true;
  const expressions = list.slice(0, -1).map(expressionOf);
  if (spaceFirst && expressions.length > 0) {
    throw last.get("add_prefix_space").fail("a space in front of every piece is not supported");
  }
  if (last.get("use_regex").flag() ?? true) expressions.push(BYTE_LEVEL);
  if (expressions.length === 0) throw last.get("use_regex").fail("text that is not cut at all is not supported");
  const named = list.length === 2 ? list[0].get("pattern").get("Regex") : preTokenizer;
  return { kind: expressionPreTokenizer(expressions, { ...named.place, field: named.path }), spaceFirst };
}

function expressionOf(step: Json): string {
  const type = step.get("type").text();
  if (type === "Digits" && step.get("individual_digits").flag() === true) return EACH_DIGIT;
  if (type !== "Split") throw unsupported(step);
  const behavior = step.get("behavior").text();
  const invert = step.get("invert").flag() ?? false;
  // The expressions match all of a text, so that removing what does not match keeps everything.
  if (!(behavior === "Isolated" && !invert) && !(behavior === "Removed" && invert)) throw unsupported(step);
  const expression = step.get("pattern").get("Regex").text();
  if (expression === undefined) throw unsupported(step);
  return expression;
}

/** The Unicode normal form that a byte-level tokenizer wants, if any. */
export function normalForm(normalizer: Json): ((text: string) => string) | undefined {
  const list = steps(normalizer, "normalizers");
  if (list.length === 0) return undefined;
  const type = list[0].get("type").text();
  if (list.length > 1 || (type !== "NFC" && type !== "NFD" && type !== "NFKC" && type !== "NFKD")) {
    throw unsupported(list[0]);
  }
  return (text) => text.normalize(type);
}

/** What a SentencePiece-like tokenizer does with spaces. */
export function spaces(normalizer: Json, preTokenizer: Json): { prefix: Prefix; prefixOnce: boolean; words: boolean } {
  let replaced = false, doubled = false;
  let prefix: Prefix = "never", prefixOnce = false, words = false;
  for (const step of steps(normalizer, "normalizers")) {
    switch (step.get("type").text()) {
      case "Prepend":
        if (step.get("prepend").text() !== "▁" || replaced) throw unsupported(step);
        prefix = "always";
        break;
      case "Replace":
        // A space that a text begins with gets another, so that there is one in front in any case.
        doubled = step.get("pattern").get("Regex").text() === "\\A▁" && step.get("content").text() === "▁▁";
        if (doubled && replaced && prefix === "never") break;
        if (step.get("pattern").get("String").text() !== " " || step.get("content").text() !== "▁") {
          throw unsupported(step);
        }
        replaced = true;
        break;
      default:
        throw unsupported(step);
    }
  }
  for (const step of steps(preTokenizer, "pretokenizers")) {
    const type = step.get("type").text();
    if (type === "Metaspace" && prefix === "never") {
      const scheme = step.get("prepend_scheme").text() ??
        (step.get("add_prefix_space").flag() ?? true ? "always" : "never");
      if (step.get("replacement").text() !== "▁") throw unsupported(step);
      if (scheme !== "always" && scheme !== "first" && scheme !== "never") throw unsupported(step);
      prefix = scheme;
      prefixOnce = !doubled;
      words = step.get("split").flag() ?? true;
      replaced = true;
      // Splitting at spaces (Gemma) finds none after they have been replaced.
    } else if (!(type === "Split" && replaced && step.get("pattern").get("String").text() === " ")) {
      throw unsupported(step);
    }
  }
  if (doubled && prefix !== "always") {
    throw normalizer.fail("a space that is doubled and not put in front is not supported");
  }
  if (!replaced) throw preTokenizer.fail("a tokenizer that leaves spaces as they are is not supported");
  return { prefix, prefixOnce, words };
}
