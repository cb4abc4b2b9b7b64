// The state of one text on the device: how many columns of its cache are committed, and what the last pass put behind.
import type { Rows, Scores, Sequence } from "../../src/backend.ts";
import { chainParents, checkPath, checkRows, contextFull, depthsOf } from "../rows.ts";
import type { KeyValueCache } from "./cache.ts";
import type { WebGpuEngine } from "./engine.ts";
import type { Move } from "./pass.ts";

export class WebGpuSequence implements Sequence {
  #length = 0;
  /** Parents of the rows of the last pass, which stand in the cache from column `length` on. */
  #pending: Int32Array = new Int32Array(0);
  /** Committed rows that are not in their columns yet: the next pass moves them first. */
  #move: Move | undefined;
  readonly #cache: KeyValueCache;
  #closed = false;

  constructor(private readonly engine: WebGpuEngine) {
    this.#cache = engine.newCache();
  }

  get length(): number {
    return this.#length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const { tokens } = rows;
    const parents = rows.parents ?? chainParents(tokens.length);
    const { source, context, maxRows } = this.engine;
    checkRows(rows, parents, source.spec.vocab);
    const depths = depthsOf(parents);
    const needed = this.#length + depths.reduce((a, b) => Math.max(a, b)) + 1;
    if (needed > context) throw contextFull(source, context, needed);
    const chain = depths.every((depth, row) => depth === row);
    this.#pending = new Int32Array(0);
    if (tokens.length > maxRows && (!chain || rows.score !== "last")) {
      throw new RangeError(`a pass of ${tokens.length} rows: at most ${maxRows}, or a chain with score "last"`);
    }
    // A long chain goes in parts, of which only the last is scored.
    let from = 0;
    for (; tokens.length - from > maxRows; from += maxRows) {
      await this.#pass(from, { tokens: tokens.subarray(from, from + maxRows), score: "last", need: "argmax" });
    }
    const part = from === 0 ? rows : { ...rows, tokens: tokens.subarray(from), parents: undefined };
    const scores = await this.#pass(from, part);
    this.#pending = parents;
    return scores;
  }

  keep(path: Int32Array): void {
    this.#begin();
    checkPath(path, this.#pending);
    if (path.some((row, step) => row !== step)) this.#move = { past: this.#length, path: path.slice() };
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
    const copy = new WebGpuSequence(this.engine);
    this.engine.copyCache(this.#cache, copy.#cache, this.#length);
    copy.#length = this.#length;
    copy.#move = this.#move;
    return copy;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.engine.dropCache(this.#cache);
    this.#length = 0;
  }

  async #pass(from: number, rows: Rows): Promise<Scores> {
    const move = this.#move;
    const scores = await this.engine.pass(this.#cache, this.#length + from, rows, move);
    if (this.#move === move) this.#move = undefined;
    return scores;
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.begin();
  }
}
