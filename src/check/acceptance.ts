// How much of real distributions a rule keeps: one place, drafts drawn by law, the rule's own code, seeded chance.
import type { Candidates, Scores } from "../backend.ts";
import type { Chance } from "../chance.ts";
import { argmax, type Distribution, normalise, probability, top, without } from "../math/distribution.ts";
import type { VerificationRule } from "../rule.ts";
import type { DraftLaw, DraftTree } from "../tree.ts";

/** The target's and the drafter's distribution at one place of a text. */
export interface Place {
  readonly p: Distribution;
  readonly q: Distribution;
}

/** Share of `draws` drafts of which the rule keeps one, with its standard error. */
export interface Acceptance {
  readonly mean: number;
  readonly error: number;
}

/** `n` siblings under the root. Fewer where q has no more tokens. */
export function drawPlace(q: Distribution, law: Exclude<DraftLaw, "beam">, n: number, chance: Chance): DraftTree {
  const tokens: number[] = [];
  if (law === "point" || law === "top-and-one") tokens.push(...top(q, law === "point" ? n : n - 1));
  while (tokens.length < n && law !== "point") {
    const rest = law === "iid" || tokens.length === 0 ? q : without(q, tokens);
    if (rest === undefined) break;
    tokens.push(chance.pick(rest));
  }
  return {
    tokens: Int32Array.from(tokens),
    parents: new Int32Array(tokens.length).fill(-1),
    law,
    q: (node) => law === "point" || node >= 0 ? undefined : q,
  };
}

/** `places` must be normalised; the draws are shared out evenly among them. Throws what the rule throws. */
export function simulateAcceptance(
  rule: VerificationRule,
  law: Exclude<DraftLaw, "beam">,
  places: readonly Place[],
  n: number,
  draws: number,
  chance: Chance,
): Acceptance {
  let kept = 0;
  let all = 0;
  for (const { p, q } of places) {
    for (let i = 0; i < Math.ceil(draws / places.length); i++, all++) {
      const tree = drawPlace(q, law, n, chance);
      if (rule.verify(tree, new OnePlace(p, tree.tokens.length + 1), chance).path.length > 0) kept++;
    }
  }
  const mean = kept / all;
  return { mean, error: Math.sqrt(mean * (1 - mean) / all) };
}

/** The same row everywhere: what follows an accepted draft does not matter here. */
export class OnePlace implements Scores {
  readonly vocab: number;

  constructor(private readonly p: Distribution, readonly rows: number) {
    this.vocab = p.vocab;
  }

  distribution(): Distribution {
    return this.p;
  }

  argmax(): number {
    return argmax(this.p);
  }

  probability(_row: number, token: number): number {
    return probability(normalise(this.p), token);
  }

  top(_row: number, k: number): Candidates {
    const tokens = Int32Array.from(top(this.p, k));
    return { tokens, probabilities: Float32Array.from(tokens, (token) => probability(this.p, token)) };
  }

  logits(): Float64Array {
    return Float64Array.from({ length: this.vocab }, (_, token) => Math.log(probability(this.p, token)));
  }
}
