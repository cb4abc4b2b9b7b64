// Hidden states: where passes hand them out, and the way back to the basis of the model's file.
//
// The graph gathers the rows of every tap that a pass names, and none of the others: what nobody asks for costs a node
// with nothing to do.
import type { Tap } from "../../src/backend.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { tapped } from "../rows.ts";
import { Feed } from "./feed.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import { fileBasis } from "./int8.ts";
import type { Runtime, Value as Tensor } from "./runtime.ts";

/** int64 [T], the rows whose states are wanted. */
const tapName = (tap: Tap) => `tap_${tap}`;
/** float32 [T, width] */
const stateName = (tap: Tap) => `state_${tap}`;

/** Lets passes read `stream` [R, width]. */
export function appendState(g: GraphBuilder, tap: Tap, stream: Value, width: number): void {
  const rows = g.input(tapName(tap), "int64", [`T_${tap}`]);
  g.op("Gather", [stream, rows], { axis: { int: 0 } }, stateName(tap));
  g.output(stateName(tap), "float32", [`T_${tap}`, width]);
}

/** What a graph with states is fed for them. */
export class StateFeeds {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #taps: readonly Tap[];
  readonly #every: Feed<BigInt64Array>;
  readonly #none: Feed<BigInt64Array>;
  readonly #nothing: Feed<Float32Array>;
  readonly #states: ReadonlyMap<Tap, Feed<Float32Array>>;
  readonly #turnBack: ((states: Float32Array, tap: Tap) => void) | undefined;

  constructor(runtime: Runtime, private readonly source: ModelSource, format: WeightFormat) {
    this.#taps = [0, ...source.spec.layers.map((_, layer) => layer + 1), "head"];
    this.inputs = this.#taps.map(tapName);
    this.outputs = this.#taps.map(stateName);
    this.#every = Feed.longs(runtime);
    this.#none = Feed.longs(runtime);
    this.#none.bind([0]);
    this.#nothing = Feed.floats(runtime);
    this.#nothing.bind([0, source.spec.width]);
    this.#states = new Map(this.#taps.map((tap) => [tap, Feed.floats(runtime)]));
    this.#turnBack = format === "int8" ? fileBasis(source) : undefined;
  }

  /** Values in the order of the names, for states of the first `rows` rows. */
  bind(taps: readonly Tap[], rows: number): { readonly inputs: Tensor[]; readonly outputs: Tensor[] } {
    if (taps.length > 0) this.#every.bind([rows]).forEach((_, row, all) => all[row] = BigInt(row));
    const wanted = this.#taps.map((tap) => taps.includes(tap));
    return {
      inputs: wanted.map((wanted) => (wanted ? this.#every : this.#none).value),
      outputs: this.#taps.map((tap, i) => {
        if (!wanted[i]) return this.#nothing.value;
        const feed = this.#states.get(tap)!;
        feed.bind([rows, this.source.spec.width]);
        return feed.value;
      }),
    };
  }

  /** What the pass has just left behind, [rows · width] of each of `taps`. */
  read(taps: readonly Tap[], rows: number): (tap: Tap) => Float32Array {
    const length = rows * this.source.spec.width;
    const states = new Map(taps.map((tap) => [tap, this.#states.get(tap)!.data.subarray(0, length)]));
    const turned = new Set<Tap>();
    return (tap) => {
      const own = tapped(states, tap);
      if (!turned.has(tap)) this.#turnBack?.(own, tap);
      turned.add(tap);
      return own;
    };
  }

  close(): void {
    for (const feed of [this.#every, this.#none, this.#nothing, ...this.#states.values()]) feed.close();
  }
}
