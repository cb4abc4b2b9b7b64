// The state of one text: a list of what every committed token left behind, and the rows of the last pass beside it.
import type { Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import { tracing } from "../../src/trace.ts";
import { passLine } from "../trace.ts";
import { allFinite } from "../../src/math/finite.ts";
import { notFinite } from "../../src/model/not-finite.ts";
import { chainParents, checkPath, checkRows, contextFull, depthsOf } from "../rows.ts";
import { rowOf } from "./matrix.ts";
import { computeToken, logitsOf, type Memory, type Model } from "./model.ts";
import { ReferenceScores } from "./scores.ts";

/** What a sequence needs of its engine. */
interface Host extends Pick<Engine, "name" | "source" | "context" | "can"> {
  readonly model: Model;
  /** Ends the life of all Scores given out so far. Called by every method of every sequence. */
  expire(): void;
  /** A check that throws after the next `expire`. */
  validity(): () => void;
}

interface PendingRow {
  readonly parent: number;
  readonly memory: Memory;
}

export class ReferenceSequence implements Sequence {
  #engine: Host;
  #committed: Memory[];
  #pending: readonly PendingRow[] = [];
  #closed = false;

  constructor(engine: Host, committed: readonly Memory[] = []) {
    this.#engine = engine;
    this.#committed = [...committed];
  }

  get length(): number {
    return this.#committed.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const start = performance.now();
    this.#pending = [];
    const { model, context, source } = this.#engine;
    const { vocab, width } = model.spec;
    const { tokens, score = "all", temperature = 1, taps = [], skip, embeddings } = rows;
    const parents = rows.parents ?? chainParents(tokens.length);
    checkRows(rows, parents, this.#engine);
    const needed = this.length + 1 + depthsOf(parents).reduce((a, b) => Math.max(a, b));
    if (needed > context) throw contextFull(source, context, needed);

    const pending: PendingRow[] = [];
    const logits: Float64Array[] = [];
    const states = new Map(taps.map((tap) => [tap, new Float64Array(tokens.length * width)]));
    for (let row = 0; row < tokens.length; row++) {
      const past = [...this.#committed, ...ancestors(pending, parents[row])];
      const embedding = embeddings
        ? Float64Array.from(embeddings.subarray(row * width, (row + 1) * width))
        : rowOf(model.embed, tokens[row]);
      const { memory, hidden, states: after } = computeToken(model, embedding, past, skip);
      for (const [tap, rows] of states) rows.set(tap === "head" ? hidden : after[tap], row * width);
      pending.push({ parent: parents[row], memory });
      if (score === "all" || row === tokens.length - 1) logits.push(logitsOf(model, hidden));
    }
    if (!logits.every(allFinite)) throw notFinite(source);
    this.#pending = pending;
    tracing()?.(passLine(this.#engine, rows, this.length, performance.now() - start));
    return new ReferenceScores(logits, vocab, temperature, this.#engine.validity(), states);
  }

  keep(path: Int32Array): void {
    this.#begin();
    const pending = this.#pending;
    checkPath(path, Int32Array.from(pending, ({ parent }) => parent));
    for (const row of path) this.#committed.push(pending[row].memory);
    this.#pending = [];
  }

  rewind(length: number): void {
    this.#begin();
    if (!Number.isInteger(length) || length < 0 || length > this.length) {
      throw new RangeError(`cannot rewind a sequence of ${this.length} tokens to ${length}`);
    }
    this.#committed.length = length;
    this.#pending = [];
  }

  fork(): Sequence {
    this.#begin();
    return new ReferenceSequence(this.#engine, this.#committed);
  }

  close(): void {
    this.#closed = true;
    this.#committed = [];
    this.#pending = [];
    this.#engine.expire();
  }

  #begin(): void {
    if (this.#closed) throw new Error("this sequence is closed");
    this.#engine.expire();
  }
}

/** What `row` and the rows above it left behind, from the root down. */
function ancestors(rows: readonly PendingRow[], row: number): Memory[] {
  const path: Memory[] = [];
  for (let at = row; at >= 0; at = rows[at].parent) path.push(rows[at].memory);
  return path.reverse();
}
