// What the sequences of engines with a cache have in common: how much of a text is committed, and which rows may follow.
import type { Engine, Rows, Scores } from "../src/backend.ts";
import { chainParents, checkPath, checkRows, contextFull, depthsOf } from "./rows.ts";

const NONE = new Int32Array(0);

export interface Admitted {
  readonly parents: Int32Array;
  readonly depths: Int32Array;
  readonly chain: boolean;
}

export class Committed {
  #length = 0;
  /** Parents of the rows of the last pass, which stand in the cache from column `length` on. */
  #pending: Int32Array = NONE;

  get length(): number {
    return this.#length;
  }

  /**
   * Forgets the rows of the pass before. Throws where new ones make no sense, or are more than the engine takes at once,
   * and HunchError("input") where the context has no room for them.
   */
  admit(rows: Rows, engine: Pick<Engine, "source" | "context" | "maxRows" | "can">): Admitted {
    const { source, context, maxRows } = engine;
    const { tokens } = rows;
    const parents = rows.parents ?? chainParents(tokens.length);
    checkRows(rows, parents, engine);
    const depths = depthsOf(parents);
    const needed = this.#length + depths.reduce((a, b) => Math.max(a, b)) + 1;
    if (needed > context) throw contextFull(source, context, needed);
    this.#pending = NONE;
    const chain = depths.every((depth, row) => depth === row);
    if (tokens.length > maxRows && rows.taps) {
      throw new RangeError(`hidden states of ${tokens.length} rows: at most ${maxRows} in a pass`);
    }
    if (tokens.length > maxRows && (!chain || rows.score !== "last")) {
      throw new RangeError(`a pass of ${tokens.length} rows: at most ${maxRows}, or a chain with score "last"`);
    }
    return { parents, depths, chain };
  }

  /** The rows that were admitted have been run. */
  ran({ parents }: Admitted): void {
    this.#pending = parents;
  }

  /** Throws where `path` is none of the last pass. */
  keep(path: Int32Array): void {
    checkPath(path, this.#pending);
    this.#length += path.length;
    this.#pending = NONE;
  }

  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new RangeError(`cannot rewind a sequence of ${this.#length} tokens to ${length}`);
    }
    this.#length = length;
    this.#pending = NONE;
  }

  /** The same committed text, and no rows. */
  copy(): Committed {
    const copy = new Committed();
    copy.#length = this.#length;
    return copy;
  }
}

/**
 * Runs a long chain in parts of at most `most` rows, of which only the last is scored; a shorter pass as it is. `from`:
 * rows that went before.
 */
export async function inParts(
  rows: Rows,
  most: number,
  run: (part: Rows, from: number) => Promise<Scores>,
): Promise<Scores> {
  const { tokens, embeddings, skip } = rows;
  const width = (embeddings?.length ?? 0) / tokens.length;
  const part = (from: number, to = tokens.length) => ({
    tokens: tokens.subarray(from, to),
    ...embeddings && { embeddings: embeddings.subarray(from * width, to * width) },
  });
  let from = 0;
  for (; tokens.length - from > most; from += most) {
    await run({ ...part(from, from + most), skip, score: "last", need: "argmax" }, from);
  }
  return await run(from === 0 ? rows : { ...rows, ...part(from), parents: undefined }, from);
}
