// What bounds a template: time, memory, output and depth, by counting. The outcome depends on the template and what it
// is given only, never on the clock.

/** The template wants too much. Its message says what. */
export class BudgetError extends Error {}

/** What Python or Jinja would refuse. */
export class TemplateError extends Error {}

/** Nodes, values and calls inside each other; the stacks of Bun and Deno hold more. */
const DEEPEST = 400;

/** Elements of a `range`, as Jinja's sandbox has it. */
export const LONGEST_RANGE = 100_000;

/** Bits of an integer. */
const LARGEST_INTEGER = 1 << 17;

export class Meter {
  /** Units of 0.1 to 1 µs. */
  #left: number;
  /** UTF-16 units of a text, elements of a list. */
  readonly #largest: number;
  #depth = 0;

  constructor(inputSize: number) {
    this.#left = 2_000_000 + 2 * inputSize;
    this.#largest = 1_000_000 + 16 * inputSize;
  }

  spend(units: number): void {
    this.#left -= units;
    if (!(this.#left >= 0)) throw new BudgetError("takes too long");
  }

  /** Before a text of this length is made. Memory is bounded by this, too: a unit pays for 32 characters. */
  text(length: number): void {
    this.fits(length);
    this.spend(1 + length / 32);
  }

  /** While a text grows: refuses one that becomes too long. It is paid for when it is made. */
  fits(length: number): void {
    if (!(length <= this.#largest)) throw new BudgetError("makes too much text");
  }

  /** Before each of so many characters is looked at by itself. */
  letters(count: number): void {
    this.spend(2 * count);
  }

  /** Before a list of this length is made, or looked through. */
  items(count: number): void {
    this.fits(count);
    this.spend(1 + count / 4);
  }

  /** Before an integer of so many bits is made. */
  integer(bits: number): void {
    if (!(bits <= LARGEST_INTEGER)) throw new BudgetError("makes too large a number");
    this.spend(bits / 64);
  }

  /** Before `needle` is looked for in `text`: in the worst case every letter is compared with every other. */
  search(text: number, needle: number): void {
    this.spend(1 + text / 32 + Math.min(text, needle) * text / 256);
  }

  within<T>(work: () => T): T {
    if (++this.#depth > DEEPEST) throw new BudgetError("is nested too deeply");
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }
}
