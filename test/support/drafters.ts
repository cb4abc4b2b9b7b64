// Drafters for tests: they guess, more or less well, what a table engine will say.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { hashed, type TableEngine } from "./table-engine.ts";

/** Guesses right with a probability, in trees with at most `branches` children per node; always the same for a seed. */
export class GuessingDrafter implements Drafter {
  readonly name = "guessing";
  readonly laws = ["point"] as const;
  text: number[] = [];
  #draws = 0;

  constructor(
    private readonly engine: TableEngine,
    private readonly seed: number,
    private readonly skill: number,
    private readonly branches = 1,
  ) {}

  begin(prompt: Int32Array): void {
    this.text = [...prompt];
  }

  draft(plan: Plan) {
    const size = Math.floor(this.#draw() * (plan.nodes + 1));
    if (size === 0) return EMPTY_TREE;
    const tokens: number[] = [];
    const parents: number[] = [];
    const depth: number[] = [];
    for (let node = 0; node < size; node++) {
      const last = node - 1;
      let parent = this.branches === 1 || this.#draw() < 0.5 ? last : Math.floor(this.#draw() * (node + 1)) - 1;
      while (parent >= 0 && depth[parent] >= plan.depth) parent = parents[parent];
      if (this.branches === 1 && parent !== last) break;
      const path: number[] = [];
      for (let at = parent; at >= 0; at = parents[at]) path.unshift(tokens[at]);
      const right = this.engine.likeliest([...this.text, ...path]);
      tokens.push(this.#draw() < this.skill ? right : Math.floor(this.#draw() * this.engine.vocab));
      parents.push(parent);
      depth.push(parent < 0 ? 1 : depth[parent] + 1);
    }
    return {
      tokens: Int32Array.from(tokens),
      parents: Int32Array.from(parents),
      law: "point" as const,
      q: () => undefined,
    };
  }

  observe(round: Round): void {
    this.text.push(...round.committed);
  }

  #draw(): number {
    return hashed(this.seed, this.#draws++);
  }
}

/** Knows what will be said, but not which of two is right: each token stands beside a wrong one, in any order. */
export class KnowingDrafter implements Drafter {
  readonly name = "knowing";
  readonly laws = ["point"] as const;
  #said = 0;

  constructor(private readonly known: ArrayLike<number>, private readonly seed: number) {}

  begin(): void {
    this.#said = 0;
  }

  draft(plan: Plan) {
    const tokens: number[] = [];
    const parents: number[] = [];
    const first = this.#said;
    let above = -1;
    for (
      let at = first;
      tokens.length + 2 <= plan.nodes && at < Math.min(this.known.length, first + plan.depth);
      at++
    ) {
      const right = this.known[at];
      const wrong = right === 0 ? 1 : right - 1;
      const late = hashed(this.seed, at) < 0.5;
      tokens.push(...(late ? [wrong, right] : [right, wrong]));
      parents.push(above, above);
      above = tokens.length - (late ? 1 : 2);
    }
    return tokens.length === 0 ? EMPTY_TREE : {
      tokens: Int32Array.from(tokens),
      parents: Int32Array.from(parents),
      law: "point" as const,
      q: () => undefined,
    };
  }

  observe(round: Round): void {
    this.#said += round.committed.length;
  }
}
