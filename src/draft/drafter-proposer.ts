// A drafter as a proposer: its children of a place, by how likely it finds them.
import type { Drafter, Proposer } from "../drafter.ts";
import { type Distribution, sparse } from "../math/distribution.ts";
import { HunchError } from "../errors.ts";
import { LIKELIEST } from "./proposed.ts";

/** Children that are asked for at a place. */
const MOST = 16;

/**
 * For trees of chosen tokens alone: q gives each child the confidence of the drafter, and what that leaves to no token, all
 * of it where the drafter has nothing to say. Whoever has it keeps the drafter.
 */
export class DrafterProposer implements Proposer {
  #paths: number[][] = [];

  /** Throws HunchError("usage") where the drafter cannot draft below a path. */
  constructor(readonly drafter: Drafter, readonly vocab: number) {
    if (drafter.after === undefined) {
      throw new HunchError("usage", `${drafter.name} cannot draft below other drafts`, {
        hint: "use one such as recycling, suffix or lookup",
      });
    }
  }

  /** The drafter knows the text already. */
  sync(): Promise<void> {
    this.#paths = [];
    return Promise.resolve();
  }

  async propose({ tokens, parents }: Parameters<Proposer["propose"]>[0]): Promise<Distribution[]> {
    const asked: number[][] = tokens.length === 0 ? [[]] : [];
    tokens.forEach((token, i) => {
      const path = [...this.#paths[parents[i]] ?? [], token];
      this.#paths.push(path);
      asked.push(path);
    });
    const answers: Distribution[] = [];
    for (const path of asked) answers.push(await this.#q(path));
    return answers;
  }

  async #q(path: readonly number[]): Promise<Distribution> {
    const { tokens, confidence } = await this.drafter.after!(
      Int32Array.from(path),
      { nodes: MOST, depth: 1 },
      LIKELIEST,
    );
    const weights = Array.from(tokens, (_, rank) => {
      const known = confidence?.[rank] ?? NaN;
      return known > 0 ? known : 0.5 ** (rank + 1);
    });
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return sparse(this.vocab, tokens, weights.map((weight) => weight / Math.max(1, all)));
  }
}
