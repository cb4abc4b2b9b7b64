// Tokens by falling probability, as far as anybody asks. Not a shape.
import { type Distribution, top } from "../../src/math/distribution.ts";

/** Most likely first, equal ones by ascending id. Few are cheap: more are looked for only once they are wanted. */
export function* ranked(q: Distribution): Generator<number, void> {
  for (let told = 0, count = 8;; count *= 4) {
    const tokens = top(q, count);
    while (told < tokens.length) yield tokens[told++];
    if (tokens.length < count) return;
  }
}
