// Merge rules as pairs of tokens: (left, right) → rule. An open-addressing hash table of small integers.
import { HunchError, type Place } from "../../errors.ts";
import type { MergeRules } from "./merger.ts";
import { MOST_TOKENS } from "./vocabulary.ts";

/** A chain this long happens only where a file was made to collide. */
const LONGEST_CHAIN = 1024;

/** Rule r is the r-th added, and its rank is r. */
export class PairRules implements MergeRules {
  readonly ranks: Int32Array; // [capacity], rank of rule r is r
  readonly results: Int32Array; // [capacity]
  readonly #slots: Int32Array; // left + 1 (0 = free), right, rule
  readonly #mask: number;

  constructor(capacity: number, readonly place: Place) {
    if (capacity > MOST_TOKENS) {
      throw new HunchError("input", `${capacity} merges; at most ${MOST_TOKENS} are possible`, place);
    }
    this.ranks = new Int32Array(capacity);
    for (let rank = 0; rank < capacity; rank++) this.ranks[rank] = rank;
    this.results = new Int32Array(capacity);
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#slots = new Int32Array(slots * 3);
    this.#mask = slots - 1;
  }

  /** Adds rule `rank`. Of two rules for one pair the first stays, or the last where `replace` is set. */
  add(left: number, right: number, rank: number, result: number, replace: boolean): void {
    this.results[rank] = result;
    let slot = mix(left, right) & this.#mask;
    for (let chain = 0; this.#slots[slot * 3] !== 0; chain++) {
      if (this.#slots[slot * 3] === left + 1 && this.#slots[slot * 3 + 1] === right) {
        if (replace) this.#slots[slot * 3 + 2] = rank;
        return;
      }
      if (chain > LONGEST_CHAIN) throw new HunchError("input", "the merges are made to collide", this.place);
      slot = (slot + 1) & this.#mask;
    }
    this.#slots[slot * 3] = left + 1;
    this.#slots[slot * 3 + 1] = right;
    this.#slots[slot * 3 + 2] = rank;
  }

  rule(left: number, right: number): number {
    if (left < 0 || right < 0) return -1;
    const slots = this.#slots;
    let slot = mix(left, right) & this.#mask;
    while (slots[slot * 3] !== 0) {
      if (slots[slot * 3] === left + 1 && slots[slot * 3 + 1] === right) return slots[slot * 3 + 2];
      slot = (slot + 1) & this.#mask;
    }
    return -1;
  }
}

function mix(left: number, right: number): number {
  const h = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x7f4a7c15, 0x85ebca6b);
  return h ^ (h >>> 15);
}
