// What drafters that join a proposer and a retrieval drafter share. Not a method of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { ask } from "../../src/draft/raw.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { asPoint } from "../../src/draft/tree-edit.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import type { DraftTree } from "../../src/tree.ts";

/** Keeps the text, and keeps both sources up to date. What is joined was chosen, not sampled: law `point`. */
export abstract class JoinedDrafter implements Drafter {
  abstract readonly name: string;
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();
  #sampling: Sampling = GREEDY;

  constructor(private readonly proposer: Proposer, private readonly retrieval: Drafter) {}

  /** The draft, once the proposer stands at the end of the text. */
  protected abstract join(retrieved: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree>;

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#sampling = sampling;
    this.#text.clear();
    this.#text.append(prompt);
    await this.retrieval.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const retrieved = asPoint(await this.retrieval.draft(plan, chance));
    const asked = ask(this.proposer, plan, this.#sampling);
    await this.proposer.sync(this.#text.view, asked.sync);
    return await this.join(retrieved, asked.plan, asked.proposer);
  }

  async observe(round: Round): Promise<void> {
    this.#text.append(round.committed);
    await this.retrieval.observe(round);
  }

  close(): void {
    this.proposer.close?.();
    this.retrieval.close?.();
  }
}
