// The oracle: any ModelSpec in plain TypeScript, float64, one token at a time. Slow and obviously right; the other
// engines are compared with it.
import type { Capabilities, Engine, Sequence } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { type CostPoint, interpolateCost, measureCost } from "../cost.ts";
import type { Model } from "./model.ts";
import { ReferenceSequence } from "./sequence.ts";

export class ReferenceEngine implements Engine {
  readonly name = "reference";
  readonly format: WeightFormat = "float32";
  readonly can: Capabilities = {
    tree: true,
    exact: "trees",
    taps: true,
    skip: true,
    embeddings: true,
    deviceRules: [],
    rewind: "truncate",
  };
  #costs: readonly CostPoint[] = [];
  #pass = 0;
  #closed = false;

  constructor(
    readonly source: ModelSource,
    readonly model: Model,
    readonly context: number,
    private readonly progress?: (step: string, fraction: number) => void,
  ) {}

  /** Rows are computed one by one, so a pass may be as wide as the context is long. */
  get maxRows(): number {
    return this.context;
  }

  open(): Sequence {
    if (this.#closed) throw new Error("this engine is closed");
    return new ReferenceSequence(this);
  }

  cost(width: number): number {
    return interpolateCost(this.#costs, width);
  }

  async calibrate(): Promise<void> {
    const widths = [1, 2, 4, 8].filter((width) => width <= this.maxRows);
    this.#costs = (await measureCost(this, widths, { past: 0, repeats: 3, progress: this.progress })).points;
  }

  close(): void {
    this.#closed = true;
  }

  expire(): void {
    if (this.#closed) throw new Error("this engine is closed");
    this.#pass++;
  }

  validity(): () => void {
    const pass = this.#pass;
    return () => {
      if (pass !== this.#pass) {
        throw new Error("these scores are no longer valid: a sequence was used after their pass");
      }
    };
  }
}
