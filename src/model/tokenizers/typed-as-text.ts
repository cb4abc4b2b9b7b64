// A common fault of conversions: tokens that the chat template writes are in the vocabulary, but typed as normal text, so
// that the template's marks are cut into pieces the model was never trained on.
import type { Tokenizer } from "../tokenizer.ts";

/** What marks of turns and roles look like, in the families that have them. */
const MARKS = /<[|｜][^|｜<>\s{}'"]{1,60}[|｜]>|<\/?[A-Za-z_][\w.-]{1,40}>|\[\/?[A-Z_]{3,30}\]/g;

/** Tokens whose spelling `template` writes and that text does not become, in order of the template; each once. */
export function typedAsText(template: string, tokenizer: Tokenizer): string[] {
  const marks = new Set(template.match(MARKS));
  for (const mark of marks) if (tokenizer.encode(mark, { special: true }).length <= 1) marks.delete(mark);
  if (marks.size === 0) return [];
  const found = new Set<string>();
  for (let token = 0; token < tokenizer.vocab; token++) {
    const name = tokenizer.name(token);
    if (marks.has(name)) found.add(name);
  }
  return [...marks].filter((mark) => found.has(mark));
}
