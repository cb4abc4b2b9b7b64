// What drafters that join a proposer and a retrieval drafter share. Not a method of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { DrafterProposer } from "../../src/draft/drafter-proposer.ts";
import { HunchError } from "../../src/errors.ts";
import { ask, drawn } from "../../src/draft/raw.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { asPoint } from "../../src/draft/tree-edit.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { wantsOf } from "../../src/draft/wants.ts";
import type { DraftTree } from "../../src/tree.ts";

/**
 * A proposer by its name, or a drafter that serves as one. Where neither is called so, throws what looking for the
 * proposer threw, which names the nearest.
 */
export async function branchSource(spec: string, context: PluginContext): Promise<Proposer> {
  try {
    return await context.resolve("proposer", spec);
  } catch (error) {
    const drafter = await context.resolve("drafter", spec).catch((other: unknown) => {
      throw other instanceof HunchError && other.message.startsWith("there is no drafter") ? error : other;
    });
    return new DrafterProposer(drafter, context.target.source.spec.vocab);
  }
}

/** Keeps the text, and keeps both sources up to date. What is joined was chosen, not sampled: law `point`. */
export abstract class JoinedDrafter implements Drafter {
  abstract readonly name: string;
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();
  #sampling: Sampling = GREEDY;
  readonly candidates: Drafter["candidates"];
  readonly taps: Drafter["taps"];
  readonly observePrompt: Drafter["observePrompt"];
  readonly attach: Drafter["attach"];
  readonly #drafters: readonly Drafter[];

  constructor(private readonly proposer: Proposer, private readonly retrieval: Drafter) {
    this.#drafters = proposer instanceof DrafterProposer ? [retrieval, proposer.drafter] : [retrieval];
    const wants = wantsOf([...this.#drafters, proposer]);
    ({ candidates: this.candidates, taps: this.taps, observePrompt: this.observePrompt, attach: this.attach } = wants);
  }

  /** The draft, once the proposer stands at the end of the text. */
  protected abstract join(retrieved: DraftTree, plan: Plan, proposer: Proposer): Promise<DraftTree>;

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.#sampling = sampling;
    this.#text.clear();
    this.#text.append(prompt);
    for (const drafter of this.#drafters) await drafter.begin(prompt, sampling);
  }

  async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    const retrieved = asPoint(await this.retrieval.draft(plan, chance));
    const asked = ask(this.proposer, plan, this.#sampling);
    return await drawn(
      this.proposer,
      this.#text.view,
      asked.sync,
      () => this.join(retrieved, asked.plan, asked.proposer),
    );
  }

  async observe(round: Round): Promise<void> {
    this.#text.append(round.committed);
    for (const drafter of this.#drafters) await drafter.observe(round);
  }

  close(): void {
    this.proposer.close?.();
    for (const drafter of this.#drafters) drafter.close?.();
  }
}
