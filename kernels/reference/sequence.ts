// The state of one text: a list of what every committed token left behind, and the rows of the last pass beside it.
import type { Rows, Scores, Sequence } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import type { ReferenceEngine } from "./engine.ts";
import { computeToken, logitsOf, type Memory } from "./model.ts";
import { ReferenceScores } from "./scores.ts";

interface PendingRow {
  readonly parent: number;
  readonly memory: Memory;
}

export class ReferenceSequence implements Sequence {
  #engine: ReferenceEngine;
  #committed: Memory[];
  #pending: readonly PendingRow[] = [];
  #closed = false;

  constructor(engine: ReferenceEngine, committed: readonly Memory[] = []) {
    this.#engine = engine;
    this.#committed = [...committed];
  }

  get length(): number {
    return this.#committed.length;
  }

  async forward(rows: Rows): Promise<Scores> {
    this.#begin();
    const { model, context, source } = this.#engine;
    const { vocab } = model.spec;
    const { tokens, score = "all", temperature = 1 } = rows;
    const parents = rows.parents ?? Int32Array.from(tokens, (_, row) => row - 1);
    check(rows, parents, vocab, temperature);

    this.#pending = [];
    const pending: PendingRow[] = [];
    const logits: Float64Array[] = [];
    const depths = depthsOf(parents);
    const deepest = this.length + Math.max(...depths) + 1;
    if (deepest > context) {
      throw new HunchError(
        "input",
        `the context of ${context} tokens is full: this text needs ${deepest}`,
        { file: source.path },
        "shorten the text or raise the context length",
      );
    }
    for (let row = 0; row < tokens.length; row++) {
      const past = [...this.#committed, ...ancestors(pending, parents[row])];
      const { memory, hidden } = computeToken(model, tokens[row], past);
      pending.push({ parent: parents[row], memory });
      if (score === "all" || row === tokens.length - 1) logits.push(logitsOf(model, hidden));
    }
    if (!logits.every((row) => row.every(Number.isFinite))) {
      throw new HunchError(
        "input",
        "the model's scores are not finite numbers",
        { file: source.path },
        "its weights are broken",
      );
    }
    this.#pending = pending;
    return new ReferenceScores(logits, vocab, temperature, this.#engine.validity());
  }

  keep(path: Int32Array): void {
    this.#begin();
    const pending = this.#pending;
    path.forEach((row, step) => {
      const parent = step === 0 ? -1 : path[step - 1];
      if (pending[row]?.parent !== parent) throw new RangeError(`[${path}] is no path from the root of the last pass`);
    });
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

function check(rows: Rows, parents: Int32Array, vocab: number, temperature: number): void {
  const { tokens } = rows;
  if (tokens.length === 0) throw new RangeError("a pass needs at least one row");
  if (parents.length !== tokens.length) {
    throw new RangeError(`${parents.length} parents given for ${tokens.length} rows`);
  }
  const wrong = parents.findIndex((parent, row) => parent < -1 || parent >= row);
  if (wrong >= 0) throw new RangeError(`row ${wrong} cannot continue row ${parents[wrong]}`);
  const unknown = tokens.find((token) => token < 0 || token >= vocab);
  if (unknown !== undefined) throw new RangeError(`no token ${unknown} in a vocabulary of ${vocab}`);
  if (!(temperature > 0)) throw new RangeError(`temperature ${temperature} gives no probabilities: it must be above 0`);
}

/** 0 for rows that continue the committed text. */
function depthsOf(parents: Int32Array): number[] {
  const depths: number[] = [];
  for (const parent of parents) depths.push(parent < 0 ? 0 : depths[parent] + 1);
  return depths;
}

/** What `row` and the rows above it left behind, from the root down. */
function ancestors(rows: readonly PendingRow[], row: number): Memory[] {
  const path: Memory[] = [];
  for (let at = row; at >= 0; at = rows[at].parent) path.push(rows[at].memory);
  return path.reverse();
}
