// What every engine asks of the rows it is given.
import type { Capabilities, Engine, Rows, Tap } from "../src/backend.ts";
import { HunchError, UnsupportedError } from "../src/errors.ts";
import type { ModelSource } from "../src/model/source.ts";
import { depths } from "../src/tree.ts";

/** Parents of a chain of `count` rows. */
export function chainParents(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row - 1);
}

/** Throws RangeError where rows contradict themselves, the model, or what the engine can do. */
export function checkRows(
  rows: Rows,
  parents: Int32Array,
  { source: { spec }, can }: Pick<Engine, "source" | "can">,
): void {
  const { tokens, temperature = 1, score, verify } = rows;
  const { vocab } = spec;
  if (tokens.length === 0) throw new RangeError("a pass needs at least one row");
  if (parents.length !== tokens.length) {
    throw new RangeError(`${parents.length} parents given for ${tokens.length} rows`);
  }
  const wrong = parents.findIndex((parent, row) => parent < -1 || parent >= row);
  if (wrong >= 0) throw new RangeError(`row ${wrong} cannot continue row ${parents[wrong]}`);
  const unknown = tokens.find((token) => token < 0 || token >= vocab);
  if (unknown !== undefined) throw new RangeError(`no token ${unknown} in a vocabulary of ${vocab}`);
  if (verify && (score === "last" || verify.tree.tokens.length + 1 !== tokens.length)) {
    throw new RangeError(`a verdict on ${verify.tree.tokens.length} nodes needs as many scored rows and the root's`);
  }
  for (const wish of ["taps", "skip", "embeddings"] as const satisfies readonly (keyof Capabilities & keyof Rows)[]) {
    if (rows[wish] !== undefined && !can[wish]) throw new RangeError(`this engine cannot do ${wish}`);
  }
  rows.taps?.forEach((tap) => checkTap(tap, spec.layers.length));
  for (const layers of [rows.skip?.attention ?? [], rows.skip?.feedForward ?? []]) {
    const odd = layers.find((layer, i) => !(spec.layers[layer] && layer > (layers[i - 1] ?? -1)));
    if (odd !== undefined) throw new RangeError(`cannot leave out layers [${layers}] of ${spec.layers.length}`);
  }
  const { embeddings = { length: tokens.length * spec.width } } = rows;
  if (embeddings.length !== tokens.length * spec.width) {
    throw new RangeError(`${embeddings.length} numbers given for ${tokens.length} embeddings of ${spec.width}`);
  }
  if (!(temperature > 0)) throw new RangeError(`temperature ${temperature} gives no probabilities: it must be above 0`);
}

/** Throws RangeError where the pass was not asked for this tap. */
export function tapped<States>(states: ReadonlyMap<Tap, States>, tap: Tap): States {
  const found = states.get(tap);
  if (found === undefined) throw new RangeError(`this pass was not asked for the states of ${tap}`);
  return found;
}

function checkTap(tap: Tap, layers: number): void {
  if (tap !== "head" && !(Number.isInteger(tap) && tap >= 0 && tap <= layers)) {
    throw new RangeError(`no state after ${tap} of ${layers} layers`);
  }
}

/** 0 for rows that continue the committed text, their parent's depth + 1 for others. */
export function depthsOf(parents: Int32Array): Int32Array {
  return depths({ parents }).map((depth) => depth - 1);
}

/** Throws RangeError where `path` does not lead down from the root through `parents`. */
export function checkPath(path: Int32Array, parents: Int32Array): void {
  path.forEach((row, step) => {
    const parent = step === 0 ? -1 : path[step - 1];
    if (parents[row] !== parent) throw new RangeError(`[${path}] is no path from the root of the last pass`);
  });
}

/** The refusal of a text that has outgrown its context. */
export function contextFull(source: ModelSource, context: number, needed: number): HunchError {
  return new HunchError("input", `the context of ${context} tokens is full: this text needs ${needed}`, {
    file: source.path,
    hint: "shorten the text or raise the context length",
  });
}

/** Learned positions end where their table ends; other models may be run further than they were made for. */
export function contextLength(source: ModelSource, wanted: number | undefined): number {
  if (wanted === undefined) return source.spec.context;
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new HunchError("usage", `a context of ${wanted} tokens makes no sense`, {
      hint: "give a whole number of at least 1",
    });
  }
  if (source.has("positions.weight") && wanted > source.spec.context) {
    throw new UnsupportedError(
      `${source.title} has learned positions for ${source.spec.context} tokens, not for ${wanted}`,
      { file: source.path, hint: `use a context of at most ${source.spec.context}` },
    );
  }
  return wanted;
}
