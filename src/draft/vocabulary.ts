// Whether two models speak the same tokens, so that one can draft for the other.
import { HunchError } from "../errors.ts";
import type { ModelSource } from "../model/source.ts";
import type { Tokenizer } from "../model/tokenizer.ts";

/**
 * The first difference, in a few words; undefined where every token that both have stands for the same bytes. Tokens that
 * stand for no text (begin, end, reserved ones) may be called differently, and one may be up to an eighth longer than the
 * other, as models of one family are padded to different lengths: a draft is only a guess. See shared-vocabulary.ts.
 */
export function compareVocabularies(target: Tokenizer, draft: Tokenizer): string | undefined {
  const shared = Math.min(target.vocab, draft.vocab);
  for (let token = 0; token < shared; token++) {
    if (sameBytes(target.bytes(token), draft.bytes(token))) continue;
    const [ours, theirs] = [target.name(token), draft.name(token)].map((name) => JSON.stringify(name));
    return `token ${token} is ${ours} in the target and ${theirs} in the draft`;
  }
  if (8 * shared >= 7 * Math.max(target.vocab, draft.vocab)) return undefined;
  return `the target has ${target.vocab} tokens and the draft ${draft.vocab}, which is more than padding`;
}

/** Throws HunchError("input") where the draft model cannot draft for the target. */
export function refuseOtherVocabulary(target: ModelSource, draft: ModelSource): void {
  const difference = compareVocabularies(target.tokenizer, draft.tokenizer);
  if (difference === undefined) return;
  throw new HunchError("input", `the draft model has another vocabulary than the target: ${difference}`, {
    file: draft.path,
    hint: "use a draft model that was trained with the target's tokenizer",
  });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
