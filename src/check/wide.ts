// The losslessness proof at a vocabulary of tens of thousands of tokens, for one place of a draft.
//
// Tokens come in groups whose members are alike: equal p and equal q. A rule that does not tell them apart treats the
// members of a group alike, so chance need not follow each of them: one stands for all that were not drawn yet, with the
// probability of all together. The rule itself runs as it is, on distributions of the whole length.
import type { Chance } from "../chance.ts";
import { EnumeratingChance, everyBranch } from "./every-branch.ts";
import { dense, type Distribution, point, top } from "../math/distribution.ts";
import { HunchError } from "../errors.ts";
import type { VerificationRule } from "../rule.ts";
import type { DraftLaw } from "../tree.ts";
import { drawPlace, OnePlace } from "./acceptance.ts";
import { peaks, type Random } from "./generate-cases.ts";

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

/** Thrown where members of a group have different weights: by a rule that orders equal tokens, for example. */
class TellsApart extends Error {}

/** Follows one member of each group, the first or the last of those not named, and every token that was named before. */
class GroupChance extends EnumeratingChance {
  #named: Set<number>;
  readonly #starts: readonly number[];
  readonly #size: number;

  /** `known`: tokens that are named from the start. */
  constructor(
    private readonly groups: readonly Group[],
    private readonly known: Iterable<number>,
    private readonly lastOfGroup: boolean,
  ) {
    super();
    this.#named = new Set(known);
    let next = 0;
    this.#starts = groups.map(({ count }) => (next += count) - count);
    this.#size = next;
  }

  override pick(weights: Distribution): number {
    const token = super.pick(weights);
    if (weights.vocab === this.#size) this.#named.add(token);
    return token;
  }

  override advance(): boolean {
    this.#named = new Set(this.known);
    return super.advance();
  }

  protected override offersOf(weights: Distribution): ReturnType<EnumeratingChance["offersOf"]> {
    // Some rules draw something else than a token.
    return super.offersOf(weights.vocab === this.#size ? this.#gathered(weights) : weights);
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
      const end = start + count;
      const step = this.lastOfGroup ? -1 : 1;
      let one = this.lastOfGroup ? end - 1 : start;
      while (one >= start && one < end && this.#named.has(one)) one += step;
      if (one < start || one === end) return;
      let members = count;
      for (const token of this.#named) if (token >= start && token < end) members--;
      for (let token = start; token < end; token++) {
        if (all[token] !== all[one] && !this.#named.has(token)) throw new TellsApart();
      }
      offers.set(one, members * all[one]);
    });
    return { vocab, tokens: Int32Array.from(offers.keys()), probabilities: Float64Array.from(offers.values()) };
  }
}

/**
 * Half the sum of |rule − target| over the token that the rule says first. Undefined where that cannot be told: the rule
 * refuses so large a vocabulary, or tells members of a group apart. Up to `enough` it is not looked at twice.
 */
export function enumerateWide(of: WideCase, rule: VerificationRule, enough: number): number | undefined {
  try {
    const { said, totalVariation } = enumerateGroups(of, rule, false);
    if (totalVariation <= enough) return totalVariation;
    // A rule that goes by the order of tokens may say anything of the member that stands for its group.
    const other = enumerateGroups(of, rule, true).said;
    return said.every((value, group) => Math.abs(value - other[group]) < 1e-14) ? totalVariation : undefined;
  } catch (error) {
    if (error instanceof TellsApart || (error instanceof HunchError && error.kind === "usage")) return undefined;
    throw error;
  }
}

function enumerateGroups({ groups, law, drafts }: WideCase, rule: VerificationRule, lastOfGroup: boolean) {
  const row = (which: "p" | "q") => dense(groups.flatMap((group) => new Array<number>(group.count).fill(group[which])));
  const [p, q] = [row("p"), row("q")];
  const groupOf = groups.flatMap(({ count }, group) => new Array<number>(count).fill(group));
  const scores = new ThenOne(rule.greedy ? point(p.vocab, new OnePlace(p, 1).argmax()) : p, drafts + 1);
  const said = new Float64Array(groups.length);
  const follow = <T>(known: Iterable<number>, run: (chance: Chance) => T) =>
    everyBranch(run, undefined, new GroupChance(groups, known, lastOfGroup));
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
  const totalVariation = target.reduce((sum, value, group) => sum + Math.abs(said[group] - value / all), 0) / 2;
  return { said, totalVariation };
}

/** Row 0 is p; what follows a draft is of no matter, and one token. */
class ThenOne extends OnePlace {
  override distribution(row = 0): Distribution {
    return row === 0 ? super.distribution() : point(this.vocab, 0);
  }
}

const VOCAB = 50_000;
/** Down to where what is left is less than a half, a rounding, a denormal. */
const POWERS = [2, 15, 18, 300];

/** Peaks and steps among 50,000 tokens, and tails so flat that each of their tokens is less than rounding. */
export function* wideCases(law: WideCase["law"], random: Random): Generator<WideCase> {
  const counts = [1, 1, 40, VOCAB - 42];
  const drafts = 2;
  for (const power of POWERS) {
    for (const [kind, [p, q]] of peaks(counts.length, power, random)) {
      yield { kind, law, drafts, groups: counts.map((count, i) => ({ count, p: p[i] / count, q: q[i] / count })) };
    }
  }
  for (const each of [2 ** -54, 3 * 2 ** -54]) {
    const heads = [{ count: 1, p: 0.6, q: 0.5 }, { count: 1, p: 0.4, q: 0.5 - (VOCAB - 2) * each }];
    const groups = [...heads, { count: VOCAB - 2, p: 0, q: each }];
    yield { kind: "flat tail of q", law, drafts, groups };
    yield { kind: "flat tail of p", law, drafts, groups: groups.map(({ count, p, q }) => ({ count, p: q, q: p })) };
  }
}
