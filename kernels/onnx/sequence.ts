// The state of one text on ONNX Runtime: how many rows of its cache are committed, and what the last pass put behind.
import type { Rows, Scores, Sequence } from "../../src/backend.ts";
import { chainParents, checkPath, checkRows, contextFull, depthsOf } from "../rows.ts";
import { KeyValueCache } from "./cache.ts";
import type { OnnxEngine } from "./engine.ts";

export class OnnxSequence implements Sequence {
  #length = 0;
  /** Parents of the rows of the last pass, which stand in the cache from row `length` on. */
  #pending: Int32Array = new Int32Array(0);
  readonly #cache: KeyValueCache;
  #closed = false;

  constructor(private readonly engine: OnnxEngine) {
    this.#cache = engine.newCache();
  }

  get length(): number {
    return this.#length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const { tokens } = rows;
    const parents = rows.parents ?? chainParents(tokens.length);
    checkRows(rows, parents, this.engine.source.spec.vocab);
    const depths = depthsOf(parents);
    const chain = depths.every((depth, row) => depth === row);
    const needed = this.#length + Math.max(...(chain ? [tokens.length - 1] : depths)) + 1;
    if (needed > this.engine.context) throw contextFull(this.engine.source, this.engine.context, needed);
    const most = this.engine.maxRows;
    this.#pending = new Int32Array(0);
    if (tokens.length > most && (!chain || rows.score !== "last")) {
      throw new RangeError(`a pass of ${tokens.length} rows: at most ${most}, or a chain with score "last"`);
    }
    // A long chain goes in parts, of which only the last is scored. No part is left with a single row.
    let from = 0;
    for (; tokens.length - from > most; from += most - 1) {
      await this.engine.pass(this.#cache, this.#length + from, {
        tokens: tokens.subarray(from, from + most - 1),
        score: "last",
      }, undefined);
    }
    const part = from === 0 ? rows : { ...rows, tokens: tokens.subarray(from) };
    const scores = await this.engine.pass(
      this.#cache,
      this.#length + from,
      part,
      chain ? undefined : { parents, depths },
    );
    this.#pending = parents;
    return scores;
  }

  keep(path: Int32Array): void {
    this.#begin();
    checkPath(path, this.#pending);
    path.forEach((row, step) => {
      if (row !== step) this.#cache.move(this.#length + row, this.#length + step);
    });
    this.#length += path.length;
    this.#pending = new Int32Array(0);
  }

  rewind(length: number): void {
    this.#begin();
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new RangeError(`cannot rewind a sequence of ${this.#length} tokens to ${length}`);
    }
    this.#length = length;
    this.#pending = new Int32Array(0);
  }

  fork(): Sequence {
    this.#begin();
    const copy = new OnnxSequence(this.engine);
    copy.#cache.copyFrom(this.#cache, this.#length);
    copy.#length = this.#length;
    return copy;
  }

  close(): void {
    this.#closed = true;
    this.#cache.close();
    this.#length = 0;
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.begin();
  }
}
