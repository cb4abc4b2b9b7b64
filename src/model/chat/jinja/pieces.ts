// A text put together piece by piece, and paid for as it grows.
import type { Meter } from "./meter.ts";
import { glue, plain, type Str } from "./text.ts";

export class Pieces {
  readonly #parts: Str[] = [];
  #size = 0;

  constructor(private readonly meter: Meter) {}

  /** Throws TemplateError where the text gets too long, or the template has taken too long. */
  add(part: Str): void {
    this.meter.fits(this.#size += plain(part).length);
    this.meter.spend(1 + plain(part).length / 32);
    this.#parts.push(part);
  }

  whole(): Str {
    return glue(this.#parts);
  }
}
