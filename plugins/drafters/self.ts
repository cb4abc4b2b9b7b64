// A proposer that is the target itself with blocks left out. What methods of self-speculation share; not a method of its
// own.
//
// It computes in the target's own sequence, so there is one set of weights and one cache: its rows see the committed keys
// and values, stand behind them while a tree is drawn, and are taken back when it is. It samples as the target does.
import type { Engine, Sequence, Skip } from "../../src/backend.ts";
import type { Proposer } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import { sampledPass } from "../../src/round/sampled-scores.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { type Nodes, runNodes, type RunTree } from "./run-nodes.ts";

export class SelfProposer implements Proposer {
  readonly vocab: number;
  #target: Sequence | undefined;
  #text: Int32Array = new Int32Array(0);
  #sampling: Sampling = GREEDY;
  #tree: RunTree = { tokens: [], parents: [], kept: 0 };
  #skip: Skip = { attention: [], feedForward: [] };

  /**
   * `prepare`: what is left out of the next draft, asked after each `sync`; it may compute in the target's sequence and
   * leaves it as it was. Throws HunchError where the engine cannot leave out blocks.
   */
  constructor(
    name: string,
    private readonly engine: Engine,
    private readonly prepare: (text: Int32Array, target: Sequence) => Skip | Promise<Skip>,
  ) {
    refuseWithout(engine, "skip", name);
    this.vocab = engine.source.spec.vocab;
  }

  attach(target: Sequence): void {
    this.#target = target;
  }

  async sync(text: Int32Array, sampling: Sampling): Promise<void> {
    this.#text = text;
    this.#sampling = sampling;
    this.#tree = { tokens: [], parents: [], kept: 0 };
    this.#skip = await this.prepare(text, this.#sequence);
  }

  /** No distributions where the context is full. */
  async propose(nodes: Nodes): Promise<Distribution[]> {
    const run = {
      engine: this.engine,
      sequence: this.#sequence,
      text: this.#text,
      sampling: this.#sampling,
      skip: this.#skip,
    };
    return nodes.tokens.length === 0 ? await runRoot(run) : (await runNodes(run, this.#tree, nodes)).distributions;
  }

  release(): void {
    const { length } = this.#text;
    if (this.#target !== undefined && this.#target.length >= length) this.#target.rewind(length - 1);
  }

  get #sequence(): Sequence {
    if (this.#target === undefined) throw new Error("a drafter of the target was given no sequence of it");
    return this.#target;
  }
}

/** What follows the last token of the text, whose row is kept. */
async function runRoot({ engine, sequence, text, sampling, skip }: Parameters<typeof runNodes>[0]) {
  if (text.length > engine.context) return [];
  const tokens = text.slice(-1);
  const none = { tokens: new Int32Array(0), parents: new Int32Array(0) };
  const scores = await sampledPass(sequence, { tokens, skip }, sampling, text, none);
  const q = scores.distribution(0);
  sequence.keep(Int32Array.of(0));
  return [q];
}

const ABILITIES = {
  skip: "leaves out no blocks of a model",
  taps: "gives no hidden states",
  embeddings: "takes no hidden states",
  tree: "scores no rows beside each other",
} as const;

/** Throws HunchError("unavailable") where the engine lacks what a method drafts by. */
export function refuseWithout(engine: Engine, ability: keyof typeof ABILITIES, name: string): void {
  if (engine.can[ability]) return;
  throw new HunchError("unavailable", `${engine.name} ${ABILITIES[ability]}, and ${name} drafts by them`, {
    hint: "use another backend, or another drafter",
  });
}
