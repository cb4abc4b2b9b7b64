// Whether two models speak the same tokens, so that one can draft for the other; and which tokens both have.
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

/** Throws HunchError("input") where the draft model has other tokens than the target. */
export function refuseOtherVocabulary(target: ModelSource, draft: ModelSource): void {
  const difference = compareVocabularies(target.tokenizer, draft.tokenizer);
  if (difference === undefined) return;
  throw new HunchError("input", `the draft model has another vocabulary than the target: ${difference}`, {
    file: draft.path,
    hint: "let tli, slrs, omnidraft or slem draft with it, as in --drafter tli:FILE",
  });
}

/**
 * [draft's vocab] The target's token that stands for the same bytes, or, where there are none, has the same name; −1 where
 * the target has no such token. No token of the target is given twice; of several that fit, the one of the same name is
 * taken (SentencePiece has a space as a piece and as a byte).
 */
export function sharedTokens({ tokenizer: target }: ModelSource, { tokenizer: draft, spec }: ModelSource): Int32Array {
  const tokensOf = new Map<string, number[]>();
  for (let token = 0; token < target.vocab; token++) {
    const key = keyOf(target, token);
    const same = tokensOf.get(key);
    if (same === undefined) tokensOf.set(key, [token]);
    else same.push(token);
  }
  const shared = new Int32Array(spec.vocab).fill(-1);
  const share = (token: number, fits: (candidate: number) => boolean) => {
    const candidates = shared[token] < 0 ? tokensOf.get(keyOf(draft, token)) : undefined;
    const at = candidates?.findIndex(fits) ?? -1;
    if (at >= 0) [shared[token]] = candidates!.splice(at, 1);
  };
  for (let token = 0; token < draft.vocab; token++) {
    share(token, (candidate) => target.name(candidate) === draft.name(token));
  }
  for (let token = 0; token < draft.vocab; token++) share(token, () => true);
  return shared;
}

/** A character that is no byte, before the name of a token without any. */
const NO_BYTE = "\u0100";

/** The same for tokens that say the same. */
function keyOf(tokenizer: Tokenizer, token: number): string {
  const bytes = tokenizer.bytes(token);
  return bytes.length > 0 ? String.fromCharCode(...bytes) : `${NO_BYTE}${tokenizer.name(token)}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
