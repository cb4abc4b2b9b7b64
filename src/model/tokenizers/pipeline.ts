// The `normalizer` and `pre_tokenizer` of a tokenizer.json, as far as supported models use them; anything else is
// refused by name.
import type { Json } from "./json.ts";
import { expressionPreTokenizer, type PreTokenizerKind } from "./pretokenizers.ts";
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

/** How a byte-level tokenizer cuts text. */
export function byteLevelCut(preTokenizer: Json): { kind: PreTokenizerKind; spaceFirst: boolean } {
  const list = steps(preTokenizer, "pretokenizers");
  const last = list[list.length - 1];
  if (last.get("type").text() !== "ByteLevel" || list.length > 2) throw unsupported(list[0]);
  const spaceFirst = last.get("add_prefix_space").flag() ?? true;
  const gpt2 = last.get("use_regex").flag() ?? true;
  if (list.length === 1) {
    if (!gpt2) throw last.get("use_regex").fail("text that is not cut at all is not supported");
    return { kind: "gpt2", spaceFirst };
  }
  const first = list[0];
  if (spaceFirst) throw last.get("add_prefix_space").fail("a space in front of every piece is not supported");
  switch (first.get("type").text()) {
    case "Digits":
      if (!gpt2 || first.get("individual_digits").flag() !== true) throw unsupported(first);
      return { kind: "digits", spaceFirst };
    case "Split": {
      const behavior = first.get("behavior").text();
      const invert = first.get("invert").flag() ?? false;
      // The expressions match all of a text, so that removing what does not match keeps everything.
      if (gpt2 || !(behavior === "Isolated" && !invert) && !(behavior === "Removed" && invert)) {
        throw unsupported(first);
      }
      const expression = first.get("pattern").get("Regex");
      const text = expression.text();
      if (text === undefined) throw unsupported(first);
      return { kind: expressionPreTokenizer(text, { ...expression.place, field: expression.path }), spaceFirst };
    }
    default:
      throw unsupported(first);
  }
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
  let replaced = false;
  let prefix: Prefix = "never", prefixOnce = false, words = false;
  for (const step of steps(normalizer, "normalizers")) {
    switch (step.get("type").text()) {
      case "Prepend":
        if (step.get("prepend").text() !== "▁" || replaced) throw unsupported(step);
        prefix = "always";
        break;
      case "Replace":
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
    if (type === "Metaspace" && !replaced) {
      const scheme = step.get("prepend_scheme").text() ??
        (step.get("add_prefix_space").flag() ?? true ? "always" : "never");
      if (step.get("replacement").text() !== "▁") throw unsupported(step);
      if (scheme !== "always" && scheme !== "first" && scheme !== "never") throw unsupported(step);
      prefix = scheme;
      prefixOnce = true;
      words = step.get("split").flag() ?? true;
      replaced = true;
      // Splitting at spaces (Gemma) finds none after they have been replaced.
    } else if (!(type === "Split" && replaced && step.get("pattern").get("String").text() === " ")) {
      throw unsupported(step);
    }
  }
  if (!replaced) throw preTokenizer.fail("a tokenizer that leaves spaces as they are is not supported");
  return { prefix, prefixOnce, words };
}
