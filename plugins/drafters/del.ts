// del: the target drafts with its first layers alone; how many of them and how long is decided anew in each round, by what
// each layer would have said so far.
// DEL: Context-Aware Dynamic Exit Layer for Efficient Self-Speculative Decoding (Entezari Zarch et al., 2025, arXiv
// 2504.05598).
//
// As there: the hidden states after each layer, at every token that was verified, go through the last norm and the head, and
// the token that comes of it (a shadow token) is compared with the text. The share that is right, α of each layer, fades
// with every round; the exit layer ℓ and the length d are those with the most tokens for each layer that is computed,
// (1 − α^(d+1)) / ((1 − α)(d·ℓ + L)) of L layers; with d = 0 nothing is drafted.
//
// Left out: its exit by confidence, for which there are controllers (`confidence`, `draft-exit`). The model is any, not one
// that LayerSkip trained, and a verification is a whole pass. A text begins with every α at a half, of one token. `exits`
// layers are looked at, as each costs a row of the head in every round: the paper's all are `exits=1000`.
import type { Engine, Sequence, Skip, Tap } from "../../src/backend.ts";
import type { Chance } from "../../src/chance.ts";
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import type { TreeShape } from "../../src/shape.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";
import { skipAfter } from "./exit.ts";
import { asEmbeddings } from "./look-back.ts";
import { refuseWithout, SelfProposer } from "./self.ts";

/** What a round's counts are worth in the next one. */
const MEMORY = 0.95;
/** Longest draft that is considered. */
const LONGEST = 16;

/** How often drafts of each exit would have been right. */
export class ExitRates {
  readonly #right: Float64Array;
  #seen = 1;

  /** `exits`: layers after which one may exit, of so many. */
  constructor(readonly exits: readonly number[], private readonly layers: number) {
    this.#right = new Float64Array(exits.length).fill(0.5);
  }

  /** A round came to so many tokens; `right`: [exits] how many of them each exit would have drafted. */
  see(right: ArrayLike<number>, tokens: number): void {
    this.#seen = MEMORY * this.#seen + tokens;
    for (let i = 0; i < this.#right.length; i++) this.#right[i] = MEMORY * this.#right[i] + right[i];
  }

  /** [exits] α of each. */
  get rates(): number[] {
    return Array.from(this.#right, (right) => right / this.#seen);
  }

  /** The exit and the length of the draft with the most tokens for each layer that is computed; length 0: none. */
  best(): { readonly exit: number; readonly length: number } {
    let best = { exit: this.exits[0], length: 0, tokens: 1 / this.layers };
    this.rates.forEach((rate, i) => {
      let expected = 1;
      for (let length = 1; length <= LONGEST; length++) {
        expected += rate ** length;
        const tokens = expected / (length * this.exits[i] + this.layers);
        if (tokens > best.tokens) best = { exit: this.exits[i], length, tokens };
      }
    });
    return best;
  }
}

export class DelDrafter extends ProposedDrafter implements Drafter {
  readonly taps: readonly Tap[];
  readonly #engine: Engine;
  /** What the next draft leaves out. */
  readonly #exit: { skip: Skip };
  #rates: ExitRates;
  #target: Sequence | undefined;
  /** Of the last round: [exit] states of verified rows, [rows · width], and what was said after each. */
  #shadows: { readonly states: readonly Float32Array[]; readonly said: Int32Array } | undefined;

  constructor(engine: Engine, form: TreeShape, exits: readonly number[]) {
    for (const ability of ["skip", "taps", "embeddings", "tree"] as const) refuseWithout(engine, ability, "del");
    const layers = engine.source.spec.layers.length;
    const exit: { skip: Skip } = { skip: skipAfter(exits[0], layers) };
    super("del", new SelfProposer("del", engine, () => exit.skip), form);
    this.#engine = engine;
    this.#exit = exit;
    this.#rates = new ExitRates(exits, layers);
    this.taps = exits;
  }

  /** [exits] How often each exit would have been right, as far as was looked. */
  get rates(): readonly number[] {
    return this.#rates.rates;
  }

  override begin(prompt: Int32Array, sampling: Sampling): void {
    super.begin(prompt, sampling);
    this.#rates = new ExitRates(this.#rates.exits, this.#engine.source.spec.layers.length);
    this.#shadows = undefined;
  }

  override attach(target: Sequence): void {
    super.attach(target);
    this.#target = target;
  }

  override async draft(plan: Plan, chance: Chance): Promise<DraftTree> {
    await this.#look();
    const { exit, length } = this.#rates.best();
    if (length === 0) return EMPTY_TREE;
    this.#exit.skip = skipAfter(exit, this.#engine.source.spec.layers.length);
    return await super.draft({ ...plan, depth: Math.min(plan.depth, length) }, chance);
  }

  override observe(round: Round): void {
    super.observe(round);
    const { width } = this.#engine.source.spec;
    const rows = [0, ...Array.from(round.verdict.path, (node) => node + 1)].slice(0, round.committed.length);
    const states = this.#rates.exits.map((layer) => {
      const all = round.states!.get(layer)!;
      const kept = new Float32Array(rows.length * width);
      rows.forEach((row, i) => kept.set(all.subarray(row * width, (row + 1) * width), i * width));
      return kept;
    });
    this.#shadows = { states, said: round.committed };
  }

  /** Compares the shadow tokens of the last round with what was said. */
  async #look(): Promise<void> {
    const [engine, target, shadows] = [this.#engine, this.#target, this.#shadows];
    if (target === undefined || shadows === undefined) return;
    this.#shadows = undefined;
    const { layers, width } = engine.source.spec;
    const rows = Math.min(shadows.said.length, shadows.states[0].length / width);
    const all = shadows.states.flatMap((states) => Array.from(states));
    const right = new Float64Array(this.#rates.exits.length);
    for (let from = 0; from < all.length / width; from += engine.maxRows) {
      const part = all.slice(from * width, (from + engine.maxRows) * width);
      const scores = await target.forward({
        tokens: new Int32Array(part.length / width),
        parents: new Int32Array(part.length / width).fill(-1),
        embeddings: asEmbeddings(engine, part, target.length),
        skip: skipAfter(0, layers.length),
        need: "argmax",
      });
      for (let row = 0; row < scores.rows; row++) {
        const at = from + row;
        if (scores.argmax(row) === shadows.said[at % rows]) right[Math.floor(at / rows)]++;
      }
    }
    this.#rates.see(right, rows);
  }
}

/** `count` layers spread evenly over all but the last, the later ones first to be there. */
export function exitsOf(layers: number, count: number): number[] {
  const most = Math.max(1, Math.min(count, layers - 1));
  return Array.from({ length: most }, (_, i) => Math.max(1, Math.round((i + 1) * (layers - 1) / most)));
}

export default definePlugin({
  kind: "drafter",
  name: "del",
  summary: "the target's first layers with its head; how many and how long, by what each would have said",
  paper: {
    title: "DEL: Context-Aware Dynamic Exit Layer for Efficient Self-Speculative Decoding",
    year: 2025,
    arxiv: "2504.05598",
  },
  options: {
    exits: { type: "integer", default: 8, min: 1, max: 1000, summary: "layers that are looked at" },
    shape: { type: "string", default: "chain", summary: "tree shape, as in `hunch plugin list`" },
  },
  async create({ exits, shape }, _, context) {
    const { target } = context;
    const form = await context.resolve("shape", shape);
    return new DelDrafter(target, form, exitsOf(target.source.spec.layers.length, exits));
  },
});
