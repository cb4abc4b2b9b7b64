// How long plain steps and passes of an engine take, one by one, on one text.
import type { Engine, Rows, Sequence } from "../../../src/backend.ts";

/** What is timed after `past` tokens of a text. */
export interface Place {
  readonly past: number;
  /** Token `i` of the text, 0 ≤ i. */
  readonly token: (i: number) => number;
}

/** A text whose tokens are spread over the vocabulary, the same for whoever is measured on it. */
export const spreadTokens = (vocab: number) => (i: number): number => (500 + i * 131) % vocab;

export class PassTimer {
  readonly #sequence: Sequence;

  /** `limitMs`: what has taken so long is repeated once and no more. */
  constructor(private readonly engine: Engine, private readonly limitMs = Infinity) {
    this.#sequence = engine.open();
  }

  /** Fills the cache up to there; what follows does so by itself. The text is that of the calls before. */
  async go(place: Place): Promise<void> {
    if (this.#sequence.length === place.past) return;
    this.#sequence.rewind(0);
    await fill(this.#sequence, place, this.engine.maxRows);
  }

  /**
   * Milliseconds of each of up to `repeat` passes over the `rows` tokens that follow; what is computed beside the scores
   * is asked for by `asked`, and hidden states are read.
   */
  async passes(
    place: Place,
    rows: number,
    repeat: number,
    asked: Pick<Rows, "need" | "taps" | "skip"> = {},
  ): Promise<number[]> {
    await this.go(place);
    return await this.#repeated(repeat, async (i) => {
      const tokens = Int32Array.from({ length: rows }, (_, row) => place.token(place.past + i + row));
      const started = performance.now();
      const scores = await this.#sequence.forward({ tokens, ...asked });
      for (const tap of asked.taps ?? []) scores.states!(tap);
      return performance.now() - started;
    });
  }

  /** Milliseconds of each of up to `count` greedy steps, choosing the token included, and the tokens. */
  async plain(place: Place, count: number): Promise<{ ms: number[]; said: number[] }> {
    await this.go(place);
    const path = Int32Array.of(0);
    const row = Int32Array.of(place.token(place.past));
    const said: number[] = [];
    const ms = await this.#repeated(count, async () => {
      const started = performance.now();
      const scores = await this.#sequence.forward({ tokens: row, need: "argmax" });
      row[0] = scores.argmax(0);
      this.#sequence.keep(path);
      const taken = performance.now() - started;
      said.push(row[0]);
      return taken;
    });
    this.#sequence.rewind(place.past);
    return { ms, said };
  }

  close(): void {
    this.#sequence.close();
  }

  async #repeated(most: number, once: (i: number) => Promise<number>): Promise<number[]> {
    const ms: number[] = [];
    const started = performance.now();
    const late = () => ms.length > 1 && performance.now() - started > this.limitMs;
    while (ms.length < most && !late()) ms.push(await once(ms.length));
    return ms;
  }
}

/** Commits the tokens before the place to an empty sequence, in passes of as many rows as the engine takes. */
export async function fill(sequence: Sequence, { past, token }: Place, maxRows: number): Promise<void> {
  for (let at = 0; at < past; at += maxRows) {
    const part = Int32Array.from({ length: Math.min(maxRows, past - at) }, (_, i) => token(at + i));
    await sequence.forward({ tokens: part, score: "last", need: "argmax" });
    sequence.keep(Int32Array.from(part.keys()));
  }
}
