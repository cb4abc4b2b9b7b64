// Drafters made of a proposer and a shape.
import type { Sequence } from "../backend.ts";
import type { Chance } from "../chance.ts";
import type { Plan, Round } from "../controller.ts";
import { argmax } from "../math/distribution.ts";
import type { Drafter, Proposer } from "../drafter.ts";
import { ask, drawn } from "./raw.ts";
import { GREEDY, type Sampling } from "../sampling.ts";
import type { TreeShape } from "../shape.ts";
import { TokenBuffer } from "./tokens.ts";
import { nodesIn } from "./tree-edit.ts";
import { type DraftLaw, type DraftTree, isChain } from "../tree.ts";

/** What a draw becomes as the temperature falls to 0: the likeliest of what is left. */
export const LIKELIEST: Chance = { flip: (probability) => probability >= 0.5, pick: argmax };

/** At temperature 0 what the shape draws is chosen and not sampled: the law is then `point`, otherwise the shape's. */
export class ProposedDrafter implements Drafter {
  readonly #text = new TokenBuffer();
  #sampling: Sampling = GREEDY;
  #laws: readonly DraftLaw[];
  /** Since the last round; undefined where it was not asked. */
  #drawn: DraftTree | undefined;

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
    this.#text.clear();
    this.#text.append(prompt);
    this.#drawn = undefined;
    this.form.begin?.();
  }

  attach(target: Sequence): void {
    this.proposer.attach?.(target);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const sure = this.form.single && plan.goOn === undefined; // who asks how sure the drafter is must be told
    const asked = ask(this.proposer, plan, this.#sampling);
    return this.#drawn = await drawn(this.proposer, this.#text.view, sure ? this.#sampling : asked.sync, async () => {
      if (this.#sampling.temperature > 0) return await this.form.grow(asked.proposer, asked.plan, chance);
      const grown = await this.form.grow(asked.proposer, asked.plan, LIKELIEST);
      return { ...grown, law: "point", q: () => undefined };
    });
  }

  /** Nothing where the draft has branches: there is no saying which of them is kept. */
  async anticipate(tree: DraftTree, more: () => Promise<boolean>): Promise<void> {
    if (isChain(tree)) await this.proposer.anticipate?.(tree.tokens, more);
  }

  observe(round: Round): void {
    this.#text.append(round.committed);
    // A drafter that joins others verifies another tree, of which the shape would learn what it never drew.
    const drawn = this.#drawn;
    this.#drawn = undefined;
    const own = drawn !== undefined && nodesIn(drawn, round.tree).every((node) => node < drawn.tokens.length);
    if (own) this.form.observe?.(round);
    else this.form.begin?.();
  }

  close(): void {
    this.proposer.close?.();
  }
}
