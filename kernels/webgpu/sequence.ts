// The state of one text on the device: how many columns of its cache are committed, and what the last pass put behind.
import type { Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import { Committed, inParts } from "../committed.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { Move } from "./pass.ts";

/** What a sequence needs of its engine. */
interface Host extends Pick<Engine, "source" | "context" | "maxRows" | "can"> {
  newCache(): KeyValueCache;
  /** `to` gets the first `columns` of `from`. */
  copyCache(from: KeyValueCache, to: KeyValueCache, columns: number): void;
  dropCache(cache: KeyValueCache): void;
  /** Every method of a sequence starts here: it ends the life of the Scores given out before. */
  begin(): void;
  /** Scores `rows` after the first `past` columns, after rows of the last pass were moved. */
  pass(cache: KeyValueCache, past: number, rows: Rows, move: Move | undefined): Promise<Scores>;
}

export class WebGpuSequence implements Sequence {
  /** Committed rows that are not in their columns yet: the next pass moves them first. */
  #move: Move | undefined;
  readonly #cache: KeyValueCache;
  #closed = false;

  constructor(private readonly engine: Host, private readonly committed = new Committed()) {
    this.#cache = engine.newCache();
  }

  get length(): number {
    return this.committed.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const admitted = this.committed.admit(rows, this.engine);
    const scores = await inParts(rows, this.engine.maxRows, (part, from) => this.#pass(from, part));
    this.committed.ran(admitted);
    return scores;
  }

  keep(path: Int32Array): void {
    this.#begin();
    const { length } = this;
    this.committed.keep(path);
    if (path.some((row, step) => row !== step)) this.#move = { past: length, path: path.slice(), done: false };
  }

  rewind(length: number): void {
    this.#begin();
    this.committed.rewind(length);
  }

  fork(): Sequence {
    this.#begin();
    const copy = new WebGpuSequence(this.engine, this.committed.copy());
    this.engine.copyCache(this.#cache, copy.#cache, this.length);
    copy.#move = this.#move && { ...this.#move };
    return copy;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.engine.dropCache(this.#cache);
    this.committed.rewind(0);
  }

  async #pass(from: number, rows: Rows): Promise<Scores> {
    if (this.#move?.done) this.#move = undefined;
    return await this.engine.pass(this.#cache, this.length + from, rows, this.#move);
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.begin();
  }
}
