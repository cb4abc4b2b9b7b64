// A map from whole numbers of 32 bits to whole numbers of 0 or more, in two arrays: 8 bytes an entry, a quarter to half of
// them taken.

const FREE = -1;

export class IntTable {
  #keys = new Int32Array(256);
  #values = new Int32Array(256).fill(FREE);
  #size = 0;

  /** −1 where the key is not there. */
  get(key: number): number {
    return this.#values[this.#slot(key)];
  }

  /** `value` ≥ 0. */
  set(key: number, value: number): void {
    let slot = this.#slot(key);
    if (this.#values[slot] === FREE) {
      if (2 * ++this.#size > this.#keys.length) {
        this.#grow();
        slot = this.#slot(key);
      }
      this.#keys[slot] = key;
    }
    this.#values[slot] = value;
  }

  clear(): void {
    this.#values.fill(FREE);
    this.#size = 0;
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = Math.imul(key ^ (key >>> 16), 0x9e3779b1);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#values[slot] !== FREE && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Int32Array(2 * keys.length);
    this.#values = new Int32Array(2 * keys.length).fill(FREE);
    for (let old = 0; old < keys.length; old++) {
      if (values[old] === FREE) continue;
      const slot = this.#slot(keys[old]);
      this.#keys[slot] = keys[old];
      this.#values[slot] = values[old];
    }
  }
}
