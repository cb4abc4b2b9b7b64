// lookup: prompt lookup decoding. What followed the last time that the text went like this is drafted again. A model
// that summarises, edits or translates says much that the prompt has said before.
// Inference with Reference: Lossless Acceleration of Large Language Models (Yang et al., 2023, arXiv 2304.04487);
// as "prompt lookup decoding" by Apoorv Saxena, 2023.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/**
 * Tokens to draft after a match of 1, 2, 3, 4, 5 or more tokens. The longer the match, the likelier the text goes on as
 * before; a long draft after a short match costs more than it brings.
 */
const LENGTHS = [1, 3, 5, 8, 12];

export class LookupDrafter implements Drafter {
  readonly name = "lookup";
  readonly laws = ["point"] as const;
  readonly #longest: number;
  readonly #shortest: number;
  readonly #text = new TokenBuffer();
  /**
   * Where each n-gram of 1 to `longest` tokens ended last, by its hash. A hash that two n-grams share finds only the
   * later one: the match is compared with the text before it is believed.
   */
  readonly #ends = new Map<number, number>();

  /** Matches of `longest` down to `shortest` tokens count, 1 ≤ shortest ≤ longest. */
  constructor(longest: number, shortest: number) {
    this.#longest = longest;
    this.#shortest = shortest;
  }

  begin(prompt: Int32Array): void {
    this.#ends.clear();
    this.#text.clear();
    this.#append(prompt);
  }

  draft(plan: Plan): DraftTree {
    const hashes = this.#hashes(this.#text.length - 1);
    for (let size = hashes.length; size >= this.#shortest; size--) {
      const end = this.#ends.get(hashes[size - 1]);
      if (end === undefined || !this.#matches(end, size)) continue;
      const most = LENGTHS[Math.min(size, LENGTHS.length) - 1];
      return chainTree(this.#after(end, Math.min(most, plan.nodes, plan.depth)));
    }
    return EMPTY_TREE;
  }

  observe(round: Round): void {
    this.#append(round.committed);
  }

  /** n-grams are noted when the token after them is known: what ends the text is what is looked for. */
  #append(tokens: Int32Array): void {
    const first = this.#text.length;
    this.#text.append(tokens);
    for (let next = first; next < this.#text.length; next++) {
      for (const hash of this.#hashes(next - 1)) this.#ends.set(hash, next - 1);
    }
  }

  /** Hashes of the n-grams that end at a place: of 1 token, of 2, up to `longest` or what the text has. */
  #hashes(end: number): number[] {
    const hashes: number[] = [];
    let hash = 0x2545f491;
    for (let at = end; at >= 0 && hashes.length < this.#longest; at--) {
      hash = Math.imul(hash ^ this.#text.at(at), 0x9e3779b1);
      hash ^= hash >>> 15;
      hashes.push(hash);
    }
    return hashes;
  }

  /** Whether the `size` tokens up to `end` are the last of the text. */
  #matches(end: number, size: number): boolean {
    for (let back = 0; back < size; back++) {
      if (this.#text.at(end - back) !== this.#text.at(this.#text.length - 1 - back)) return false;
    }
    return true;
  }

  /** What followed `end`; where that reaches the end of the text, it goes on repeating. */
  #after(end: number, count: number): Int32Array {
    const period = this.#text.length - 1 - end;
    return Int32Array.from({ length: count }, (_, i) => this.#text.at(end + 1 + i % period));
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
  },
  create: ({ longest, shortest }) => new LookupDrafter(longest, Math.min(longest, shortest)),
});
