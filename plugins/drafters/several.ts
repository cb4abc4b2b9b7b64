// What drafters made of several drafters share. Not a method of its own.
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { wantsOf } from "../../src/draft/wants.ts";
import { HunchError } from "../../src/errors.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import { splitOutside, unwrap } from "../../src/plugins/method-spec.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import type { DraftTree } from "../../src/tree.ts";

/** Keeps the text, and keeps all sources up to date. What is put together was chosen, not sampled: law `point`. */
export abstract class SeveralDrafters implements Drafter {
  abstract readonly name: string;
  readonly laws = ["point"] as const;
  readonly candidates: Drafter["candidates"];
  readonly taps: Drafter["taps"];
  readonly observePrompt: Drafter["observePrompt"];
  readonly attach: Drafter["attach"];
  protected sampling: Sampling = GREEDY;
  readonly #text = new TokenBuffer();

  /** `proposers`: who is asked beside them. */
  constructor(protected readonly sources: readonly Drafter[], proposers: readonly Proposer[] = []) {
    const wants = wantsOf([...sources, ...proposers]);
    ({ candidates: this.candidates, taps: this.taps, observePrompt: this.observePrompt, attach: this.attach } = wants);
  }

  abstract draft(plan: Plan, chance: Chance): Promise<DraftTree>;

  protected get text(): Int32Array {
    return this.#text.view;
  }

  async begin(prompt: Int32Array, sampling: Sampling): Promise<void> {
    this.sampling = sampling;
    this.#text.clear();
    this.#text.append(prompt);
    for (const source of this.sources) await source.begin(prompt, sampling);
  }

  async observe(round: Round): Promise<void> {
    this.#text.append(round.committed);
    for (const source of this.sources) await source.observe(round);
  }

  close(): void {
    for (const source of this.sources) source.close?.();
  }
}

/** The root's eldest child, that one's eldest child, and so on. */
export function eldestPath({ parents }: DraftTree): number[] {
  const path: number[] = [];
  for (let node = parents.indexOf(-1); node >= 0; node = parents.indexOf(node)) path.push(node);
  return path;
}

/** The drafters of a list such as `lookup,(suffix?factor=3)`. Throws HunchError("usage") for less than two. */
export async function severalOf(method: string, list: string, context: PluginContext): Promise<Drafter[]> {
  const specs = splitOutside(list, ",").map((spec) => spec.trim());
  if (specs.length < 2 || specs.includes("")) {
    throw new HunchError("usage", `${method} joins two drafters or more, and got ${JSON.stringify(list)}`, {
      hint: `write ${method}:lookup,recycling`,
    });
  }
  return await Promise.all(specs.map((spec) => context.resolve("drafter", unwrap(spec))));
}
