// The state of one text on ONNX Runtime: how many rows of its cache are committed, and what the last pass put behind.
import type { Rows, Scores, Sequence } from "../../src/backend.ts";
import { Committed } from "../committed.ts";
import { KeyValueCache } from "./cache.ts";
import type { OnnxEngine } from "./engine.ts";

export class OnnxSequence implements Sequence {
  readonly #cache: KeyValueCache;
  #closed = false;

  constructor(private readonly engine: OnnxEngine, private readonly committed = new Committed()) {
    this.#cache = engine.newCache();
  }

  get length(): number {
    return this.committed.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const admitted = this.committed.admit(rows, this.engine);
    const { tokens } = rows;
    const most = this.engine.maxRows;
    // A long chain goes in parts, of which only the last is scored. No part is left with a single row.
    let from = 0;
    for (; tokens.length - from > most; from += most - 1) {
      await this.engine.pass(this.#cache, this.length + from, {
        tokens: tokens.subarray(from, from + most - 1),
        score: "last",
      }, undefined);
    }
    const part = from === 0 ? rows : { ...rows, tokens: tokens.subarray(from) };
    const tree = admitted.chain ? undefined : admitted;
    const scores = await this.engine.pass(this.#cache, this.length + from, part, tree);
    this.committed.ran(admitted);
    return scores;
  }

  keep(path: Int32Array): void {
    this.#begin();
    const { length } = this;
    this.committed.keep(path);
    path.forEach((row, step) => {
      if (row !== step) this.#cache.move(length + row, length + step);
    });
  }

  rewind(length: number): void {
    this.#begin();
    this.committed.rewind(length);
  }

  fork(): Sequence {
    this.#begin();
    const copy = new OnnxSequence(this.engine, this.committed.copy());
    copy.#cache.copyFrom(this.#cache, this.length);
    return copy;
  }

  close(): void {
    this.#closed = true;
    this.#cache.close();
    this.committed.rewind(0);
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.begin();
  }
}
