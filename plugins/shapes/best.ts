// A queue that hands out what is worth most, and of equals what came first. A binary heap; not a shape.

export class Best<T> {
  readonly #heap: { readonly item: T; readonly worth: number; readonly turn: number }[] = [];
  #turns = 0;

  constructor(private readonly worth: (item: T) => number) {}

  add(item: T): void {
    const entry = { item, worth: this.worth(item), turn: this.#turns++ };
    let at = this.#heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#before(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  take(): T | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      let at = 0;
      while (true) {
        let best = at;
        for (const below of [2 * at + 1, 2 * at + 2]) {
          if (below < this.#heap.length && this.#before(below, best)) best = below;
        }
        if (best === at) break;
        this.#swap(at, best);
        at = best;
      }
    }
    return first.item;
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a], this.#heap[b]];
    return x.worth > y.worth || (x.worth === y.worth && x.turn < y.turn);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b], this.#heap[a]];
  }
}
