// The losslessness proof at a vocabulary of tens of thousands of tokens, for one place of a draft.
//
// Tokens come in groups whose members are alike: equal p and equal q. A rule that does not tell them apart treats the
// members of a group alike, so chance need not follow each of them: one stands for all that were not drawn yet, with the
// probability of all together. The rule itself runs as it is, on distributions of the whole length.
import { type Chance, EnumeratingChance, everyBranch } from "../chance.ts";
import { dense, type Distribution, point, top } from "../distribution.ts";
import type { VerificationRule } from "../rule.ts";
import type { DraftLaw } from "../tree.ts";
import { drawPlace, OnePlace } from "./acceptance.ts";
import { PEAKS, Random } from "./generate-cases.ts";

/** So many tokens with the same p and the same q. */
export interface Group {
  readonly count: number;
  readonly p: number;
  readonly q: number;
}

/** One place with so many drafts. Tokens are numbered group by group. */
export interface WideCase {
  readonly kind: string;
  readonly law: Exclude<DraftLaw, "beam">;
  readonly drafts: number;
  readonly groups: readonly Group[];
}

/** Thrown where members of a group have different weights: a rule that orders equal tokens, for example. */
export class TellsApart extends Error {}

/** Follows one member of each group, and every token that was named before. */
class GroupChance extends EnumeratingChance {
  #named: Set<number>;
  readonly #starts: readonly number[];
  readonly #size: number;

  /** `known`: tokens that are named from the start. */
  constructor(private readonly groups: readonly Group[], private readonly known: Iterable<number>) {
    super();
    this.#named = new Set(known);
    let next = 0;
    this.#starts = groups.map(({ count }) => (next += count) - count);
    this.#size = next;
  }

  override pick(weights: Distribution): number {
    if (weights.vocab !== this.#size) return super.pick(weights); // a choice of something else than a token
    const token = super.pick(this.#gathered(weights));
    this.#named.add(token);
    return token;
  }

  override advance(): boolean {
    this.#named = new Set(this.known);
    return super.advance();
  }

  /** The weights of named tokens, and of each group one with the weight of all that are not. */
  #gathered({ vocab, tokens, probabilities }: Distribution): Distribution {
    let all = probabilities;
    if (tokens !== undefined) {
      all = new Float64Array(vocab);
      tokens.forEach((token, i) => all[token] = probabilities[i]);
    }
    const offers = new Map([...this.#named].map((token) => [token, all[token]]));
    this.groups.forEach(({ count }, group) => {
      const start = this.#starts[group];
      let first = -1;
      let members = 0;
      for (let token = start; token < start + count; token++) {
        if (this.#named.has(token)) continue;
        if (first < 0) first = token;
        if (all[token] !== all[first]) {
          throw new TellsApart(`tokens ${first} and ${token} are alike but for their order`);
        }
        members++;
      }
      if (members > 0) offers.set(first, members * all[first]);
    });
    return { vocab, tokens: Int32Array.from(offers.keys()), probabilities: Float64Array.from(offers.values()) };
  }
}

/** Half the sum of |rule − target| over the token that the rule says first. Throws TellsApart. */
export function enumerateWide({ groups, law, drafts }: WideCase, rule: VerificationRule): number {
  const row = (which: "p" | "q") => dense(groups.flatMap((group) => new Array<number>(group.count).fill(group[which])));
  const [p, q] = [row("p"), row("q")];
  const groupOf = groups.flatMap(({ count }, group) => new Array<number>(count).fill(group));
  const scores = new ThenOne(rule.greedy ? point(p.vocab, new OnePlace(p, 1).argmax()) : p, drafts + 1);
  const said = new Float64Array(groups.length);
  const follow = <T>(known: Iterable<number>, run: (chance: Chance) => T) =>
    everyBranch(run, undefined, new GroupChance(groups, known));
  const chosen = law === "top-and-one" ? top(q, drafts - 1) : [];
  for (const { value: tree, probability } of follow(chosen, (chance) => drawPlace(q, law, drafts, chance))) {
    for (const { value: verdict, probability: given } of follow(tree.tokens, (c) => rule.verify(tree, scores, c))) {
      const first = verdict.path.length > 0 ? tree.tokens[verdict.path[0]] : verdict.next;
      said[groupOf[first]] += probability * given;
    }
  }
  const target = rule.greedy
    ? groups.map((_, group) => groupOf[scores.argmax()] === group ? 1 : 0)
    : groups.map(({ count, p }) => count * p);
  const all = target.reduce((a, b) => a + b, 0);
  return target.reduce((sum, value, group) => sum + Math.abs(said[group] - value / all), 0) / 2;
}

/** Row 0 is p; what follows a draft is of no matter, and one token. */
class ThenOne extends OnePlace {
  override distribution(row = 0): Distribution {
    return row === 0 ? super.distribution() : point(this.vocab, 0);
  }
}

const VOCAB = 50_000;

/** Peaks and steps among 50,000 tokens, and tails so flat that each of their tokens is less than rounding. */
export function* wideCases(law: WideCase["law"], drafts: number, chance: Chance): Generator<WideCase> {
  const random = new Random(chance);
  const counts = [1, 1, 40, VOCAB - 42];
  for (const power of [1, 4, 8, 12, 15, 16, 20, 60, 200, 300, 315]) {
    for (const [kind, rows] of Object.entries(PEAKS)) {
      const [p, q] = rows(counts.length, random, Number(`1e-${power}`));
      yield { kind, law, drafts, groups: counts.map((count, i) => ({ count, p: p[i] / count, q: q[i] / count })) };
    }
  }
  for (const each of [2 ** -54, 2 ** -53, 3 * 2 ** -54, 2 ** -57]) {
    const tail = (VOCAB - 2) * each;
    const groups = [{ count: 1, p: 0.6, q: 0.5 }, { count: 1, p: 0.4, q: 0.5 - tail }, {
      count: VOCAB - 2,
      p: 0,
      q: each,
    }];
    yield { kind: "flat tail of q", law, drafts, groups };
    yield { kind: "flat tail of p", law, drafts, groups: groups.map(({ count, p, q }) => ({ count, p: q, q: p })) };
  }
}
