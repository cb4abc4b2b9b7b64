// lookup: prompt lookup decoding. What followed the last time that the text went like this is drafted again. A model
// that summarises, edits or translates says much that the prompt has said before.
// Inference with Reference: Lossless Acceleration of Large Language Models (Yang et al., 2023, arXiv 2304.04487);
// as "prompt lookup decoding" by Apoorv Saxena, 2023.
//
// The longest match decides, the latest of equally long ones. With `branches` above 1 several matches make a tree: each
// counts by how often a match of its length was right, and half as much as the next later one.
//
// Law `point`. Memory: about 200 bytes a token of the text.
import type { Plan, Round } from "../../src/controller.ts";
import { fill } from "../../src/draft/fill.ts";
import { IntTable } from "../../src/draft/int-table.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/**
 * Tokens to draft after a match of 1, 2, 3, 4, 5 or more tokens. The longer the match, the likelier the text goes on as
 * before; a long draft after a short match costs more than it brings.
 */
const LENGTHS = [1, 3, 5, 8, 12];
/** How often what followed a match of 1, 2, … 8 or more tokens is right (SmolLM2-135M-Instruct, greedy, 92 prompts). */
const RIGHT = [0.46, 0.58, 0.63, 0.7, 0.8, 0.8, 0.84, 0.93];
/** What a match counts beside the next later one. */
const OLDER = 0.5;
/** Latest places that are looked at for branches, and paths that are less likely than this are not drafted. */
const PLACES = 64;
const LEAST = 0.05;

const NOTHING = new Int32Array(0);

/** The `length` tokens up to `end` are the last of the text, ≥ 1. */
interface Match {
  readonly end: number;
  readonly length: number;
}

export class LookupDrafter implements Drafter {
  readonly name = "lookup";
  readonly laws = ["point"] as const;
  readonly #longest: number;
  readonly #shortest: number;
  readonly #branches: number;
  readonly #text = new TokenBuffer();
  /**
   * Where each n-gram of 1 to `longest` tokens ended last, by its hash. A hash that two n-grams share finds only the
   * later one: the match is compared with the text before it is believed.
   */
  readonly #ends = new IntTable();
  /** [text] Where the token that stands at a place stood before; −1 where it did not. For branches. */
  readonly #before = new TokenBuffer();
  readonly #lastOf = new IntTable();

  /** Matches of `longest` down to `shortest` tokens count, 1 ≤ shortest ≤ longest; `branches`: most at a node, ≥ 1. */
  constructor(longest: number, shortest: number, branches = 1) {
    this.#longest = longest;
    this.#shortest = shortest;
    this.#branches = branches;
  }

  begin(prompt: Int32Array): void {
    this.#ends.clear();
    this.#lastOf.clear();
    this.#text.clear();
    this.#before.clear();
    this.#append(prompt);
  }

  draft(plan: Plan): DraftTree {
    return this.after(NOTHING, plan);
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    return this.#branches > 1 ? this.#tree(path, plan) : this.#chain(path, plan);
  }

  observe(round: Round): void {
    this.#append(round.committed);
  }

  #chain(path: Int32Array, plan: Plan): DraftTree {
    const match = this.#latest(path).next().value;
    if (match === undefined) return EMPTY_TREE;
    const most = Math.min(LENGTHS[Math.min(match.length, LENGTHS.length) - 1], plan.nodes, plan.depth);
    // What followed the match; where that reaches the end of the text, it goes on repeating.
    const period = this.#text.length + path.length - 1 - match.end;
    return chainTree(Int32Array.from({ length: most }, (_, i) => this.#at(path, match.end + 1 + i % period)));
  }

  #tree(path: Int32Array, plan: Plan): DraftTree {
    const length = this.#text.length + path.length;
    return fill<readonly Match[]>(plan, this.#matches(path), (matches, offer) => {
      let all = 0;
      const weights = new Map<number, { weight: number; readonly follow: Match[] }>();
      matches.forEach(({ end, length: matched }, older) => {
        const next = end + 1;
        if (next >= length) return; // beyond the end nothing is known of what is drafted itself
        const token = this.#at(path, next);
        const weight = RIGHT[Math.min(matched, RIGHT.length) - 1] * OLDER ** older;
        const follow = { end: next, length: matched + 1 };
        const known = weights.get(token);
        if (known === undefined) weights.set(token, { weight, follow: [follow] });
        else {
          known.weight += weight;
          known.follow.push(follow);
        }
        all += weight;
      });
      const ranked = [...weights].sort(([, a], [, b]) => b.weight - a.weight).slice(0, this.#branches);
      for (const [token, { weight, follow }] of ranked) {
        const right = RIGHT[Math.min(follow[0].length - 1, RIGHT.length) - 1];
        offer(token, right * weight / all, follow);
      }
    }, LEAST).tree;
  }

  /** Matches of all lengths, the longest first, of equally long ones the latest; no place twice. */
  #matches(path: Int32Array): Match[] {
    const found = new Map<number, Match>();
    for (const match of this.#latest(path)) found.set(match.end, match);
    const last = this.#text.length + path.length - 1;
    let end = last >= 0 ? this.#lastOf.get(this.#at(path, last)) : -1;
    for (let places = 0; end >= 0 && places < PLACES; places++, end = this.#before.at(end)) {
      if (end === last || found.has(end)) continue;
      let length = 1;
      while (
        length < this.#longest && length <= end && this.#at(path, end - length) === this.#at(path, last - length)
      ) {
        length++;
      }
      if (length >= this.#shortest) found.set(end, { end, length });
    }
    return [...found.values()].sort((a, b) => b.length - a.length || b.end - a.end);
  }

  /** The latest match of each length, the longest first. */
  *#latest(path: Int32Array): Generator<Match, undefined> {
    const last = this.#text.length + path.length - 1;
    const hashes: number[] = [];
    this.#hashes(path, last, (hash) => hashes.push(hash));
    for (let length = hashes.length; length >= this.#shortest; length--) {
      const end = this.#ends.get(hashes[length - 1]);
      if (end >= 0 && end !== last && this.#same(path, end, last, length)) yield { end, length };
    }
    return undefined;
  }

  /** n-grams are noted when the token after them is known: what ends the text is what is looked for. */
  #append(tokens: Int32Array): void {
    const first = this.#text.length;
    this.#text.append(tokens);
    const before = new Int32Array(tokens.length);
    for (let at = first; at < this.#text.length; at++) {
      this.#hashes(NOTHING, at - 1, (hash) => this.#ends.set(hash, at - 1));
      if (this.#branches === 1) continue;
      before[at - first] = this.#lastOf.get(this.#text.at(at));
      this.#lastOf.set(this.#text.at(at), at);
    }
    if (this.#branches > 1) this.#before.append(before);
  }

  /** Hashes of the n-grams that end at a place: of 1 token, of 2, up to `longest` or what the text has. */
  #hashes(path: Int32Array, end: number, visit: (hash: number) => void): void {
    let hash = 0x2545f491;
    for (let at = end; at >= 0 && end - at < this.#longest; at--) {
      hash = Math.imul(hash ^ this.#at(path, at), 0x9e3779b1);
      hash ^= hash >>> 15;
      visit(hash);
    }
  }

  /** Whether the `size` tokens up to `end` are those up to `last`. */
  #same(path: Int32Array, end: number, last: number, size: number): boolean {
    if (end < size - 1) return false;
    for (let back = 0; back < size; back++) {
      if (this.#at(path, end - back) !== this.#at(path, last - back)) return false;
    }
    return true;
  }

  #at(path: Int32Array, place: number): number {
    return place < this.#text.length ? this.#text.at(place) : path[place - this.#text.length];
  }
}

export default definePlugin({
  kind: "drafter",
  name: "lookup",
  summary: "prompt lookup: repeats what followed the same words before",
  paper: {
    title: "Inference with Reference: Lossless Acceleration of Large Language Models",
    year: 2023,
    arxiv: "2304.04487",
  },
  options: {
    longest: { type: "integer", default: 8, min: 1, max: 64, summary: "tokens of the longest match looked for" },
    shortest: { type: "integer", default: 1, min: 1, max: 64, summary: "tokens of the shortest match believed" },
    branches: { type: "integer", default: 1, min: 1, max: 16, summary: "most continuations of a place; 1: a chain" },
  },
  create: ({ longest, shortest, branches }) => new LookupDrafter(longest, Math.min(longest, shortest), branches),
});
