// Drafters made of a proposer and a shape.
import type { Chance } from "./chance.ts";
import type { Plan, Round } from "./controller.ts";
import { argmax } from "./distribution.ts";
import type { Drafter, Proposer } from "./drafter.ts";
import { GREEDY, type Sampling } from "./sampling.ts";
import type { TreeShape } from "./shape.ts";
import { type DraftLaw, type DraftTree, isChain } from "./tree.ts";

const NOTHING = new Int32Array(0);

/** What a draw becomes as the temperature falls to 0: the likeliest of what is left. */
export const LIKELIEST: Chance = { flip: (probability) => probability >= 0.5, pick: argmax };

/**
 * The sampling that a shape with branches grows by. At temperature 0 a drafter that is sure of one token has nothing to
 * branch to, so it says what it would at temperature 1, and every draw of the shape takes the likeliest.
 */
export function branching(sampling: Sampling): Sampling {
  const { temperature, repetitionPenalty, repetitionWindow } = sampling;
  return temperature > 0 ? sampling : { ...GREEDY, temperature: 1, repetitionPenalty, repetitionWindow };
}

/** At temperature 0 what the shape draws is chosen and not sampled: the law is then `point`, otherwise the shape's. */
export class ProposedDrafter implements Drafter {
  readonly looksAhead = true;
  #text = new Int32Array(1024);
  #length = 0;
  #sampling: Sampling = GREEDY;
  #laws: readonly DraftLaw[];

  constructor(
    readonly name: string,
    private readonly proposer: Proposer,
    private readonly form: TreeShape,
  ) {
    this.#laws = form.law === "point" ? ["point"] : ["point", form.law];
  }

  get shape(): string {
    return this.form.name;
  }

  get laws(): readonly DraftLaw[] {
    return this.#laws;
  }

  lawsAt(sampling: Sampling): readonly DraftLaw[] {
    return [sampling.temperature === 0 ? "point" : this.form.law];
  }

  begin(prompt: Int32Array, sampling: Sampling): void {
    this.#sampling = sampling;
    this.#laws = this.lawsAt(sampling);
    this.#length = 0;
    this.#append(prompt);
  }

  async draft(plan: Plan, chance: Chance, ahead: Int32Array = NOTHING): Promise<DraftTree> {
    const sure = this.form.single && plan.goOn === undefined; // who asks how sure the drafter is must be told
    const sampling = sure ? this.#sampling : branching(this.#sampling);
    const length = this.#length;
    this.#append(ahead);
    await this.proposer.sync(this.#text.subarray(0, this.#length), sampling);
    this.#length = length; // the proposer goes on looking at its view
    if (this.#sampling.temperature > 0) return await this.form.grow(this.proposer, plan, chance);
    return { ...await this.form.grow(this.proposer, plan, LIKELIEST), law: "point", q: () => undefined };
  }

  /** Nothing where the draft has branches: there is no saying which of them is kept. */
  async anticipate(tree: DraftTree, more: () => Promise<boolean>): Promise<void> {
    if (isChain(tree)) await this.proposer.anticipate?.(tree.tokens, more);
  }

  observe(round: Round): void {
    this.#append(round.committed);
    this.form.observe?.(round);
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
