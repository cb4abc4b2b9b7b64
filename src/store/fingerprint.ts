// Which vocabulary a store's tokens belong to.
import { createHash } from "node:crypto";
import type { Tokenizer } from "../model/tokenizer.ts";

/** So many tokens are looked at: all would take longer than a start may. */
const SAMPLE = 512;

/**
 * Hexadecimal: of the size of a vocabulary and the bytes of every n-th token of it, n such that it is about 512. Models
 * with equal vocabularies share stores; where two differ in few tokens only, drafts of the one are still good guesses
 * for the other.
 */
export function fingerprintOf(tokenizer: Pick<Tokenizer, "vocab" | "bytes">): string {
  const hash = createHash("sha256").update(`${tokenizer.vocab}`);
  const stride = Math.max(1, Math.floor(tokenizer.vocab / SAMPLE));
  for (let token = 0; token < tokenizer.vocab; token += stride) {
    hash.update(`${token}:`).update(tokenizer.bytes(token));
  }
  return hash.digest("hex").slice(0, 32);
}
