// How a draft model spells tokens of the target that it does not have: as paths of several tokens of its own.

export interface Spelling {
  /** The target's token that is spelled so; −1 where this is only the beginning of one. */
  token: number;
  /** Longer spellings that begin so, by their next token; absent where there are none. */
  longer?: Map<number, Spelling>;
}

export class Spellings {
  /** [draft's vocab] 1 for tokens that spellings begin with. */
  readonly begins: Uint8Array;
  readonly #root: Spelling = { token: -1 };

  /** `vocab`: the draft model's. */
  constructor(vocab: number) {
    this.begins = new Uint8Array(vocab);
  }

  /** All that begin with a token of the draft model. */
  after(token: number): Spelling | undefined {
    return this.#root.longer?.get(token);
  }

  /** `path`: at least two tokens of the draft model. */
  add(path: Int32Array, token: number): void {
    let at = this.#root;
    for (const own of path) {
      at.longer ??= new Map();
      let next = at.longer.get(own);
      if (next === undefined) at.longer.set(own, next = { token: -1 });
      at = next;
    }
    at.token = token;
    this.begins[path[0]] = 1;
  }

  /** Takes back what was added, if it still stands. */
  remove(path: Int32Array, token: number): void {
    const above = [this.#root];
    for (const own of path) {
      const next = above[above.length - 1].longer?.get(own);
      if (next === undefined) return;
      above.push(next);
    }
    if (above[path.length].token !== token) return;
    above[path.length].token = -1;
    for (let length = path.length; length > 0; length--) {
      const { token, longer } = above[length];
      if (token >= 0 || longer !== undefined) return;
      const among = above[length - 1].longer!;
      among.delete(path[length - 1]);
      if (among.size === 0) delete above[length - 1].longer;
    }
    this.begins[path[0]] = 0;
  }
}
