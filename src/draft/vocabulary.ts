// Whether two models speak the same tokens, so that one can draft for the other; and which tokens both have.
import { HunchError } from "../errors.ts";
import type { ModelSource } from "../model/source.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { Vocabulary } from "../model/tokenizers/vocabulary.ts";

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
 * the target has no such token. No token of the target is given twice.
 */
export function sharedTokens({ tokenizer: target }: ModelSource, { tokenizer: draft, spec }: ModelSource): Int32Array {
  const vocabulary = new Vocabulary(target.vocab, 8 * target.vocab, {});
  const twins = new Map<number, number[]>(); // tokens with the bytes of an earlier one
  const silent = new Map<string, number>(); // those without bytes, by name
  for (let token = 0; token < target.vocab; token++) {
    const bytes = target.bytes(token);
    vocabulary.append(bytes, 0, bytes.length);
    if (bytes.length === 0) silent.set(target.name(token), token);
    const other = bytes.length === 0 ? -1 : vocabulary.index(token);
    if (other >= 0) twins.set(other, [...twins.get(other) ?? [], token]);
  }
  const shared = new Int32Array(spec.vocab).fill(-1);
  const taken = new Uint8Array(target.vocab);
  // SentencePiece has a space as a piece and as a byte: pieces first, and to bytes what is left.
  for (const byte of [false, true]) {
    for (let own = 0; own < draft.vocab; own++) {
      const bytes = draft.bytes(own);
      if (shared[own] >= 0 || isByte(draft, own, bytes) !== byte) continue;
      const found = bytes.length > 0 ? vocabulary.find(bytes, 0, bytes.length) : silent.get(draft.name(own)) ?? -1;
      if (found < 0) continue;
      const free = [found, ...twins.get(found) ?? []].filter((token) => taken[token] === 0);
      const token = free.find((token) => isByte(target, token, bytes) === byte) ?? free[0];
      if (token === undefined) continue;
      shared[own] = token;
      taken[token] = 1;
    }
  }
  return shared;
}

/** Whether SentencePiece calls a token by its byte, `<0x20>`. */
function isByte(tokenizer: Tokenizer, token: number, bytes: Uint8Array): boolean {
  return bytes.length === 1 && tokenizer.name(token).startsWith("<0x");
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
