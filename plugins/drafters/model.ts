// model: a second, smaller model of the same vocabulary drafts. The original speculative decoding.
// Fast Inference from Transformers via Speculative Decoding (Leviathan et al., 2022, arXiv 2211.17192); Accelerating
// Large Language Model Decoding with Speculative Sampling (Chen et al., 2023, arXiv 2302.01318).
//
// The draft model samples as the target does: same temperature, truncations and penalties. Its cache holds the text but
// the root, and while a tree is drawn the root and a chain of drafted tokens. Nothing is counted back after a round:
// the cache is compared with the text, and what they share stays. So with k drafted and a < k accepted, the k − 1 rows
// that ran lose k − 1 − a; and with all k accepted, the k-th, which never ran, is computed before the new root.
//
// Where the target's pass leaves this thread free, the model goes on while the target verifies: with the k-th row, the
// likeliest root after it, and the likeliest next draft. Their rows stay in the cache and their distributions are kept by
// place, and where the next text and draft turn out to be these, nothing has to run. Drafts are drawn as they always
// are, by the shape and its chance, from the same distributions: only when they were computed differs.
import type { Engine, Sequence } from "../../src/backend.ts";
import { argmax, type Distribution } from "../../src/math/distribution.ts";
import type { Proposer } from "../../src/drafter.ts";
import { definePlugin, type PluginContext } from "../../src/plugins/plugin.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { sampledPass } from "../../src/round/sampled-scores.ts";
import { HEAD, type Nodes, runNodes, type RunTree, stateAt } from "./run-nodes.ts";
import { drafterOf } from "./with-shape.ts";

export class ModelProposer implements Proposer {
  readonly vocab: number;
  readonly #engine: Engine;
  readonly #sequence: Sequence;
  /** What the cache holds. */
  #cached = new Int32Array(1024);
  #text: Int32Array = new Int32Array(0);
  #sampling: Sampling = GREEDY;
  #tree: RunTree = { tokens: [], parents: [], kept: 0 };
  /** What follows rows of the cache that the text may come to, by the row's place. */
  readonly #ahead = new Map<number, Distribution>();
  readonly #anticipates: boolean;
  /** Whether states are asked for, and those that were. */
  #watched = false;
  readonly #states = new WeakMap<Distribution, Float32Array>();

  /** Closes the engine with itself. `target`: the engine beside which it may compute. */
  constructor(engine: Engine, target?: Engine) {
    this.#engine = engine;
    // Two on one device would only wait for each other. And where bits are not promised, what a seed says would depend
    // on what there was time for.
    this.#anticipates = target?.can.concurrent === true && engine.can.concurrent !== true &&
      engine.can.exact !== "none";
    this.#sequence = engine.open();
    this.vocab = engine.source.spec.vocab;
  }

  async sync(text: Int32Array, sampling: Sampling): Promise<void> {
    const root = text.length - 1;
    const alike = JSON.stringify(sampling) === JSON.stringify(this.#sampling);
    for (const place of this.#ahead.keys()) if (!alike || place < root) this.#ahead.delete(place);
    const shared = this.#sharedWith(text);
    const known = shared === text.length && this.#ahead.has(root);
    if (!known) this.#rewind(Math.min(shared, root)); // the root's row must run: its scores are wanted
    this.#text = text;
    this.#sampling = sampling;
    this.#tree = { tokens: [], parents: [], kept: 0 };
  }

  /** No distributions where the draft model's context is full: then nothing can be drafted. */
  async propose(nodes: Nodes): Promise<Distribution[]> {
    return nodes.tokens.length === 0 ? await this.#proposeRoot() : await this.#proposeNodes(nodes);
  }

  stateOf(q: Distribution): Float32Array | undefined {
    this.#watched = this.#engine.can.taps === true;
    return this.#states.get(q);
  }

  /** Computes the row that a whole kept `chain` would lack, and then what would likely be drafted next. */
  async anticipate(chain: Int32Array, more: () => Promise<boolean>): Promise<void> {
    if (!this.#anticipates) return;
    let length = this.#text.length + chain.length;
    const line = new Int32Array(length + chain.length);
    line.set(this.#text);
    line.set(chain, this.#text.length);
    this.#rewind(this.#sharedWith(line.subarray(0, length)));
    while (length <= this.#engine.context && await more()) {
      let q = this.#ahead.get(length - 1);
      if (q === undefined) this.#ahead.set(length - 1, q = await this.#run(line.subarray(0, length)));
      if (length === line.length) break;
      line[length++] = argmax(q);
    }
  }

  close(): void {
    this.#sequence.close();
    this.#engine.close();
  }

  /** Catches up with the text and runs the root. */
  async #proposeRoot(): Promise<Distribution[]> {
    if (this.#text.length > this.#engine.context) return [];
    return [this.#ahead.get(this.#text.length - 1) ?? await this.#run(this.#text)];
  }

  /** What follows `text`: runs what the cache lacks of it, its last token at least. */
  async #run(text: Int32Array): Promise<Distribution> {
    const tokens = text.slice(this.#sequence.length);
    const root = { tokens: new Int32Array(0), parents: new Int32Array(0) };
    const rows = { tokens, score: "last", ...this.#watched && HEAD } as const;
    const scores = await sampledPass(this.#sequence, rows, this.#sampling, text, root);
    const q = scores.distribution(0);
    if (this.#watched) this.#states.set(q, stateAt(scores, tokens.length - 1, this.#engine.source.spec.width));
    this.#note(this.#sequence.length, tokens);
    this.#sequence.keep(Int32Array.from(tokens, (_, row) => row));
    return q;
  }

  async #proposeNodes(nodes: Nodes): Promise<Distribution[]> {
    const known = this.#knownAhead(nodes);
    if (known !== undefined) {
      this.#tree.tokens.push(nodes.tokens[0]);
      this.#tree.parents.push(nodes.parents[0]);
      this.#tree.kept++;
      return [known];
    }
    const first = this.#text.length + this.#tree.tokens.length;
    const run = {
      engine: this.#engine,
      sequence: this.#sequence,
      text: this.#text,
      sampling: this.#sampling,
      states: this.#watched,
    };
    const { distributions, states, from } = await runNodes(run, this.#tree, nodes);
    states.forEach((state, i) => this.#states.set(distributions[i], state));
    this.#forget(this.#text.length + from);
    if (distributions.length > 0 && this.#tree.kept === this.#tree.tokens.length) {
      this.#note(this.#text.length + from, this.#tree.tokens.slice(from));
      distributions.forEach((q, i) => this.#ahead.set(first + i, q));
    }
    return distributions;
  }

  /** What follows a single node that goes on with the chain in the cache, where its row was computed ahead. */
  #knownAhead({ tokens, parents }: Nodes): Distribution | undefined {
    const { kept } = this.#tree;
    const place = this.#text.length + kept;
    const goesOn = tokens.length === 1 && this.#tree.tokens.length === kept && parents[0] === kept - 1;
    return goesOn && this.#cached[place] === tokens[0] ? this.#ahead.get(place) : undefined;
  }

  /** The cache holds `tokens` from `place` on. */
  #note(place: number, tokens: ArrayLike<number>): void {
    if (place + tokens.length > this.#cached.length) {
      const larger = new Int32Array(2 * (place + tokens.length));
      larger.set(this.#cached.subarray(0, place));
      this.#cached = larger;
    }
    this.#cached.set(tokens, place);
  }

  /** How many tokens of `text`, from the front, are in the cache. */
  #sharedWith(text: Int32Array): number {
    const end = Math.min(text.length, this.#sequence.length);
    let shared = 0;
    while (shared < end && this.#cached[shared] === text[shared]) shared++;
    return shared;
  }

  #rewind(length: number): void {
    if (this.#sequence.length > length) this.#sequence.rewind(length);
    this.#forget(length);
  }

  /** What was computed ahead from this place on. */
  #forget(length: number): void {
    for (const place of this.#ahead.keys()) if (place >= length) this.#ahead.delete(place);
  }
}

/** A proposer of the model in a file, once its vocabulary is known to be the target's. */
async function open(path: string, context: PluginContext): Promise<ModelProposer> {
  return new ModelProposer(await context.loadModel(path), context.target);
}

const paper = { title: "Fast Inference from Transformers via Speculative Decoding", year: 2022, arxiv: "2211.17192" };

/** For methods that combine proposers and shapes themselves. */
export const modelProposer = definePlugin({
  kind: "proposer",
  name: "model",
  summary: "a second, smaller model of the same vocabulary",
  argument: "FILE",
  paper,
  create: (_, path, context) => open(path, context),
});

export default drafterOf(modelProposer);
