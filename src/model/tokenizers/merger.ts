// Byte-pair encoding's loop: merge the best pair of neighbours, again and again, until no pair can be merged.
//
// A heap of pairs over a linked list of symbols: n symbols cost O(n log n) whatever the text is, where looking for the
// best pair anew after each merge would cost O(n²) on a megabyte of one letter. Stale heap entries are recognised when
// they come up: a pair is alive while its left symbol still has the rule that was pushed.
// (Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2015, arXiv 1508.07909)

/** What may be merged. A rule is a small number; which rule comes first is told by `rank`, lower first. */
export interface MergeRules {
  /**
   * The rule for two neighbours, or −1. `left` and `right` are tokens (−1: no token); the merged symbol covers bytes
   * `from` to `to` of the text given to `run`.
   */
  rule(left: number, right: number, from: number, to: number): number;
  /** [rules], 0 ≤ rank < 2^21 */
  readonly ranks: ArrayLike<number>;
  /** [rules], the token that the rule makes. */
  readonly results: ArrayLike<number>;
}

const KEPT = 1 << 16; // symbols of scratch memory kept between runs
const RANK = 2 ** 32; // heap keys are rank · 2^32 + symbol: the best rank first, of equal ones the leftmost

export class Merger {
  /** Of symbol i: its token (−1: none) and where its bytes begin. Filled by the caller before `run`. */
  tokens = new Int32Array(64);
  starts = new Uint32Array(65);
  /** Heap operations so far: what a run costs, for tests of how cost grows. */
  work = 0;
  #next = new Int32Array(64);
  #previous = new Int32Array(64);
  #rule = new Int32Array(64);
  #heap = new Float64Array(192);
  #size = 0;

  constructor(readonly rules: MergeRules) {}

  /** Makes room for `count` symbols. */
  reserve(count: number): void {
    if (count > this.tokens.length || (this.tokens.length > KEPT && count <= KEPT)) {
      const room = count <= KEPT ? Math.max(64, 2 ** Math.ceil(Math.log2(count))) : count;
      this.tokens = new Int32Array(room);
      this.starts = new Uint32Array(room + 1);
      this.#next = new Int32Array(room);
      this.#previous = new Int32Array(room);
      this.#rule = new Int32Array(room);
      this.#heap = new Float64Array(room * 3);
    }
  }

  /**
   * Merges the first `count` symbols; `starts[count]` is the end of the last. Afterwards `tokens` and `starts` hold
   * the symbols that are left, and their number is returned.
   */
  run(count: number): number {
    const { tokens, starts } = this;
    const next = this.#next;
    const previous = this.#previous;
    const rule = this.#rule;
    const end = starts[count];
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    this.#size = 0;
    for (let i = 0; i < count; i++) this.#offer(i, count, end);
    while (this.#size > 0) {
      const key = this.#pop();
      const rank = Math.floor(key / RANK);
      const left = key - rank * RANK;
      if (rule[left] < 0 || this.rules.ranks[rule[left]] !== rank) continue;
      const right = next[left];
      tokens[left] = this.rules.results[rule[left]];
      rule[right] = -1;
      next[left] = next[right];
      if (next[left] < count) previous[next[left]] = left;
      this.#offer(left, count, end);
      if (previous[left] >= 0) this.#offer(previous[left], count, end);
    }
    let kept = 0;
    for (let i = 0; i < count; i = next[i], kept++) {
      tokens[kept] = tokens[i];
      starts[kept] = starts[i];
    }
    starts[kept] = end;
    return kept;
  }

  /** Finds the rule for symbol `left` and its right neighbour, and puts it on the heap. */
  #offer(left: number, count: number, end: number): void {
    const right = this.#next[left];
    if (right >= count) {
      this.#rule[left] = -1;
      return;
    }
    const after = this.#next[right];
    const { tokens, starts } = this;
    const rule = this.rules.rule(tokens[left], tokens[right], starts[left], after < count ? starts[after] : end);
    this.#rule[left] = rule;
    if (rule >= 0) this.#push(this.rules.ranks[rule] * RANK + left);
  }

  #push(key: number): void {
    this.work++;
    const heap = this.#heap;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= key) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = key;
  }

  #pop(): number {
    this.work++;
    const heap = this.#heap;
    const top = heap[0];
    const size = --this.#size;
    const key = heap[size];
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= key) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = key;
    return top;
  }
}
