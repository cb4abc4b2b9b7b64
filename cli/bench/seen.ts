// What passes by a controller: which of siblings were accepted.
import type { Controller, Round } from "../../src/controller.ts";

/** How often siblings of a rank were offered and accepted: first child, second child, … */
export interface Ranks {
  readonly offered: readonly number[];
  readonly accepted: readonly number[];
}

/** A controller as it is, and what passes by it. */
export class Seen implements Controller {
  readonly name: string;
  readonly #offered: number[] = [];
  readonly #accepted: number[] = [];

  constructor(private readonly controller: Controller) {
    this.name = controller.name;
  }

  get ranks(): Ranks {
    return { offered: this.#offered, accepted: this.#offered.map((_, rank) => this.#accepted[rank] ?? 0) };
  }

  plan(state: Parameters<Controller["plan"]>[0]) {
    return this.controller.plan(state);
  }

  observe(round: Round): void {
    const { tree: { parents }, verdict: { path } } = round;
    for (const [step, place] of [-1, ...path].entries()) {
      const children = [...parents.keys()].filter((node) => parents[node] === place);
      children.forEach((_, rank) => this.#offered[rank] = (this.#offered[rank] ?? 0) + 1);
      const rank = children.indexOf(path[step]);
      if (rank >= 0) this.#accepted[rank] = (this.#accepted[rank] ?? 0) + 1;
    }
    this.controller.observe(round);
  }
}
