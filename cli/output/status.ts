// One line on stderr that says what is being waited for, on terminals only, and is gone afterwards.
import { stderr } from "./streams.ts";

/** Nothing is shown before this, in milliseconds: what is quick needs no words. */
const PATIENCE = 250;
const INTERVAL = 80;

export class Status {
  readonly #since = performance.now();
  #enabled: boolean;
  #shown = 0;
  #lastStep = "";

  constructor(enabled: boolean = stderr.terminal) {
    this.#enabled = enabled;
  }

  /** `fraction` 0…1 of `step`. */
  readonly progress = (step: string, fraction: number): void => {
    const now = performance.now();
    if (!this.#enabled || now - this.#since < PATIENCE) return;
    if (step === this.#lastStep && now - this.#shown < INTERVAL && fraction < 1) return;
    this.#lastStep = step;
    this.#shown = now;
    const width = 20;
    const done = Math.round(Math.min(1, Math.max(0, fraction)) * width);
    const bar = "█".repeat(done) + "░".repeat(width - done);
    stderr.write(`\r\x1b[K${step} ${bar} ${Math.round(fraction * 100)}%`);
  };

  clear(): void {
    if (this.#shown > 0) stderr.write("\r\x1b[K");
    this.#shown = 0;
  }

  /** Clears and shows nothing more: from here on the terminal's line belongs to the answer. */
  end(): void {
    this.clear();
    this.#enabled = false;
  }
}
