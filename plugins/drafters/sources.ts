// What drafters that join a proposer and a retrieval drafter share. Not a method of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { ask } from "../../src/raw.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { asPoint } from "../../src/tree-edit.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

const NOTHING = new Int32Array(0);

/** Keeps the text, and keeps both sources up to date. What is joined was chosen, not sampled: law `point`. */
export abstract class JoinedDrafter implements Drafter {
  abstract readonly name: string;
  readonly laws = ["point"] as const;
  readonly looksAhead = true;
  #text = new Int32Array(1024);
  #length = 0;
  #sampling: Sampling = GREEDY;

  constructor(private readonly proposer: Proposer, private readonly retrieval: Drafter) {}

  /** The draft, once the proposer stands at the end of the text. */
  protected abstract join(retrieved: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree>;

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#sampling = sampling;
    this.#length = 0;
    this.#append(prompt);
    await this.retrieval.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance, ahead: Int32Array = NOTHING): Promise<DraftTree> {
    const blind = ahead.length > 0 && !this.retrieval.looksAhead;
    const retrieved = blind ? EMPTY_TREE : asPoint(await this.retrieval.draft(plan, chance, ahead));
    const length = this.#length;
    this.#append(ahead);
    const asked = ask(this.proposer, plan, this.#sampling);
    await this.proposer.sync(this.#text.subarray(0, this.#length), asked.sync);
    this.#length = length; // the proposer goes on looking at its view
    return await this.join(retrieved, asked.plan, asked.proposer);
  }

  async observe(round: Round): Promise<void> {
    this.#append(round.committed);
    await this.retrieval.observe(round);
  }

  close(): void {
    this.proposer.close?.();
    this.retrieval.close?.();
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
