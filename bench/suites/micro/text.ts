// Text to tokens and back, by the default model's tokenizer.
import { readGguf } from "../../../src/model/files/gguf.ts";
import { tokenizerFromGguf } from "../../../src/model/tokenizers/gguf.ts";
import { DEFAULT_MODEL, specBench } from "../../setup.ts";

export function text(): Record<string, () => unknown> {
  const file = readGguf(DEFAULT_MODEL);
  const tokenizer = tokenizerFromGguf(file.metadata, { file: DEFAULT_MODEL });
  const article = specBench("summarization", 1)[0].text;
  const ids = tokenizer.encode(article);
  let turn = 0;
  return {
    [`encode ${article.length} characters (${ids.length} tokens)`]: () => tokenizer.encode(article),
    // A word that no cache of words has met.
    "encode an unseen word of 24 letters": () => tokenizer.encode(word(turn++)),
    [`decode ${ids.length} tokens`]: () => tokenizer.decode(ids),
  };
}

function word(seed: number): string {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Array.from({ length: 24 }, () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return String.fromCharCode(97 + (state >>> 8) % 26);
  }).join("");
}
