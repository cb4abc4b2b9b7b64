// Scores are lent: they hold until a sequence of their engine is used again.

export class Lease {
  #uses = 0;
  #closed = false;

  /** Ends the life of all Scores that were lent. Throws Error where the engine is closed. */
  renew(): void {
    this.refuseClosed();
    this.#uses++;
  }

  /** A check for the Scores that are lent now: throws Error once they no longer hold. */
  lend(): () => void {
    const uses = this.#uses;
    return () => {
      if (uses !== this.#uses) {
        throw new Error("these scores are no longer valid: a sequence was used after their pass");
      }
    };
  }

  refuseClosed(): void {
    if (this.#closed) throw new Error("this engine is closed");
  }

  /** True the first time. */
  close(): boolean {
    const first = !this.#closed;
    this.#closed = true;
    return first;
  }

  get closed(): boolean {
    return this.#closed;
  }
}
