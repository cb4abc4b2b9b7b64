// Drafters made of a proposer and a shape.
import type { Chance } from "./chance.ts";
import type { Plan, Round } from "./controller.ts";
import type { Drafter, Proposer } from "./drafter.ts";
import { GREEDY, type Sampling } from "./sampling.ts";
import type { TreeShape } from "./shape.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";

/**
 * At temperature 0 the proposer is sure of one token everywhere, so whatever the shape draws is chosen and not sampled:
 * the law is then `point`, otherwise the shape's.
 */
export class ProposedDrafter implements Drafter {
  #text = new Int32Array(1024);
  #length = 0;
  #sampling: Sampling = GREEDY;
  #laws: readonly DraftLaw[];

  constructor(
    readonly name: string,
    private readonly proposer: Proposer,
    private readonly shape: TreeShape,
  ) {
    this.#laws = shape.law === "point" ? ["point"] : ["point", shape.law];
  }

  get laws(): readonly DraftLaw[] {
    return this.#laws;
  }

  begin(prompt: Int32Array, sampling: Sampling): void {
    this.#sampling = sampling;
    this.#laws = [sampling.temperature === 0 ? "point" : this.shape.law];
    this.#length = 0;
    this.#append(prompt);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    await this.proposer.sync(this.#text.subarray(0, this.#length), this.#sampling);
    const tree = await this.shape.grow(this.proposer, plan, chance);
    return this.#sampling.temperature === 0 ? { ...tree, law: "point", q: () => undefined } : tree;
  }

  observe(round: Round): void {
    this.#append(round.committed);
  }

  close(): void {
    this.proposer.close?.();
  }

  #append(tokens: Int32Array): void {
    if (this.#length + tokens.length > this.#text.length) {
      const larger = new Int32Array(2 * (this.#length + tokens.length));
      larger.set(this.#text.subarray(0, this.#length));
      this.#text = larger;
    }
    this.#text.set(tokens, this.#length);
    this.#length += tokens.length;
  }
}
