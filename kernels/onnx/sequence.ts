// The state of one text on ONNX Runtime: how many rows of its cache are committed, and what the last pass put behind.
import type { Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import { type Admitted, Committed, inParts } from "../committed.ts";
import { chainParents, depthsOf } from "../rows.ts";
import type { Cache, PlacedRows } from "./attention/attention.ts";

/** What a sequence needs of its engine. */
interface Host extends Pick<Engine, "source" | "context" | "maxRows" | "can"> {
  /** Every method of a sequence starts here: it ends the life of the Scores given out before. */
  begin(): void;
  pass(cache: Cache, rows: Rows, placed: PlacedRows): Promise<Scores>;
}

export class OnnxSequence implements Sequence {
  /** Where the rows of the last pass stand in the cache, if it was a tree. */
  #columns: Int32Array | undefined;
  #closed = false;

  constructor(
    private readonly engine: Host,
    private readonly cache: Cache,
    private readonly committed = new Committed(),
  ) {}

  get length(): number {
    return this.committed.length;
  }

  exactRows(parents: Int32Array): number {
    return this.cache.inPlace(this.length, depthsOf(parents));
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const admitted = this.committed.admit(rows, this.engine);
    const scores = await inParts(
      rows,
      this.engine.maxRows,
      (part, from) => this.#pass(from, part, part === rows ? admitted : chainOf(part.tokens.length)),
    );
    this.committed.ran(admitted);
    return scores;
  }

  keep(path: Int32Array): void {
    this.#begin();
    const { length } = this;
    this.committed.keep(path);
    path.forEach((row, step) => {
      const [column, own] = [this.#columns?.[row] ?? length + row, length + step];
      if (column !== own) this.cache.move(column, own);
    });
  }

  rewind(length: number): void {
    this.#begin();
    this.committed.rewind(length);
  }

  fork(): Sequence {
    this.#begin();
    return new OnnxSequence(this.engine, this.cache.copy(this.length), this.committed.copy());
  }

  close(): void {
    this.#closed = true;
    this.cache.close();
    this.committed.rewind(0);
  }

  #pass(from: number, rows: Rows, { parents, depths, chain }: Admitted): Promise<Scores> {
    const past = this.length + from;
    const columns = this.cache.place(past, depths);
    this.#columns = chain ? undefined : columns;
    return this.engine.pass(this.cache, rows, { past, parents, depths, chain, columns });
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.engine.begin();
  }
}

function chainOf(count: number): Admitted {
  const parents = chainParents(count);
  return { parents, depths: depthsOf(parents), chain: true };
}
