// What follows a context, as shares of a few tokens, in a table of fixed size: a new context takes the place of the one
// that has not been seen for longest.

/** Neighbouring slots that a context may stand in. */
const NEIGHBOURS = 8;
/** What was seen counts as at most so many sightings: the shares follow what is new. */
const MEMORY = 16;

export class SuccessorTable {
  readonly #keys: Int32Array;
  /** [slots] When the context was last written; 0 where the slot is free. */
  readonly #seen: Float64Array;
  readonly #sightings: Uint8Array;
  /** [slots, width] Tokens with their shares, 0 where there is none. */
  readonly #tokens: Int32Array;
  readonly #shares: Float32Array;
  #now = 0;

  /** `slots`: a power of two, ≥ 8. `width`: most tokens of a context. */
  constructor(private readonly slots: number, readonly width: number) {
    this.#keys = new Int32Array(slots);
    this.#seen = new Float64Array(slots);
    this.#sightings = new Uint8Array(slots);
    this.#tokens = new Int32Array(slots * width);
    this.#shares = new Float32Array(slots * width);
  }

  get bytes(): number {
    return this.slots * (13 + 8 * this.width);
  }

  /**
   * A context was followed by these distinct tokens, with these probabilities: the shares become the running mean. A
   * context of `key`s that are equal is one context.
   */
  see(key: number, tokens: ArrayLike<number>, probabilities: ArrayLike<number>): void {
    if (tokens.length === 0) return;
    const slot = this.#claim(key);
    this.#seen[slot] = ++this.#now;
    const sightings = this.#sightings[slot] = Math.min(this.#sightings[slot] + 1, MEMORY);
    const first = slot * this.width;
    for (let at = first; at < first + this.width; at++) this.#shares[at] *= 1 - 1 / sightings;
    for (let i = 0; i < tokens.length; i++) this.#add(first, tokens[i], probabilities[i] / sightings);
  }

  /** Visits what followed, in no order; returns whether the context is known. Shares sum to 1 or less. */
  visit(key: number, each: (token: number, share: number) => void): boolean {
    const slot = this.#find(key);
    if (slot < 0) return false;
    for (let at = slot * this.width; at < (slot + 1) * this.width; at++) {
      if (this.#shares[at] > 0) each(this.#tokens[at], this.#shares[at]);
    }
    return true;
  }

  /** To a token that is there, to a free place, or in place of the least share where that is less. */
  #add(first: number, token: number, share: number): void {
    let least = first;
    for (let at = first; at < first + this.width; at++) {
      if (this.#shares[at] > 0 && this.#tokens[at] === token) {
        this.#shares[at] += share;
        return;
      }
      if (this.#shares[at] < this.#shares[least]) least = at;
    }
    if (!(share > this.#shares[least])) return;
    this.#tokens[least] = token;
    this.#shares[least] = share;
  }

  #find(key: number): number {
    const home = mixed(key) & (this.slots - 1);
    for (let i = 0; i < NEIGHBOURS; i++) {
      const slot = (home + i) & (this.slots - 1);
      if (this.#seen[slot] > 0 && this.#keys[slot] === key) return slot;
    }
    return -1;
  }

  #claim(key: number): number {
    const known = this.#find(key);
    if (known >= 0) return known;
    const home = mixed(key) & (this.slots - 1);
    let oldest = home;
    for (let i = 1; i < NEIGHBOURS; i++) {
      const slot = (home + i) & (this.slots - 1);
      if (this.#seen[slot] < this.#seen[oldest]) oldest = slot;
    }
    this.#keys[oldest] = key;
    this.#sightings[oldest] = 0;
    this.#shares.fill(0, oldest * this.width, (oldest + 1) * this.width);
    return oldest;
  }
}

/** The key of some tokens in a row, the last one first. */
export function contextKey(...tokens: readonly number[]): number {
  let key = tokens.length;
  for (const token of tokens) key = mixed(key ^ Math.imul(token + 1, 0x9e3779b1));
  return key;
}

function mixed(key: number): number {
  const hash = Math.imul(key ^ (key >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
