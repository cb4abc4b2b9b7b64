// A proposer made of a draft model of another tokenizer: what comes next in tokens of the target, where the draft model may
// need several of its own to say one.
//
// Below a text, the draft model's tokens are a tree of paths, and a Bridge says which token of the target a path is drafted
// as. The probabilities of all paths add up to a distribution over the target's tokens. A path of one token may begin the
// spelling of another token of the target; then the draft model is asked what follows. Each such row costs, so only the
// likeliest paths are followed. Which ones depends on the draft model's distributions and on nothing that is drawn: the
// sum is exactly what drafts are drawn from, so rules are lossless for it.
import { AskedNodes } from "./asked-nodes.ts";
import type { Proposer } from "../drafter.ts";
import { type Distribution, forEach, mass, normalise, probability, sparse, top } from "../math/distribution.ts";
import { GREEDY, type Sampling } from "../sampling.ts";
import type { RetokenizedText } from "./retokenized.ts";
import type { Spelling, Spellings } from "./spellings.ts";

export interface Bridge {
  /** [draft's vocab] What a path of one token is drafted as; −1: as nothing. */
  readonly first: Int32Array;
  readonly spellings: Spellings;
  /** Tokens that may change what a path is drafted as, each once. `q`: what the draft model says after the path. */
  changing(q: Distribution, spelling: Spelling): Iterable<number>;
  /** What a longer path is drafted as. `above`: what it is without its last token. `spelling`: what it spells so far. */
  tokenOf(path: readonly number[], above: number, spelling: Spelling | undefined): number;
  /** Told of all tokens of a text, once. */
  learn?(said: Int32Array): void;
}

/** How far paths are followed. */
export interface Reach {
  /** Most rows of the draft model for one place, beside the first. */
  readonly rows: number;
  /** Paths less likely than this are not followed. */
  readonly least: number;
}

/** The options of a drafter that say so. */
export const REACH = {
  rows: { type: "integer", default: 4, min: 0, max: 32, summary: "most paths of one place that are followed" },
  least: { type: "number", default: 0.02, min: 0, max: 1, summary: "paths less likely than this are not" },
} as const;

/** A path of the draft model's tokens that spellings go on from. */
interface Open {
  readonly path: readonly number[];
  readonly spelling: Spelling;
  readonly likelihood: number;
  /** What it is drafted as. */
  readonly token: number;
  /** Node of the draft model's tree that the path without its last token leads to; −1: the root. */
  readonly parent: number;
}

const NOTHING = { tokens: new Int32Array(0), parents: new Int32Array(0) };

export class BridgedProposer implements Proposer {
  #text: Int32Array = new Int32Array(0);
  #sampling: Sampling = GREEDY;
  readonly #asked = new AskedNodes();

  /** `vocab`: the target's. `model` speaks its own tokens, which `text` turns the target's into. */
  constructor(
    readonly vocab: number,
    private readonly model: Proposer,
    private readonly text: Pick<RetokenizedText, "of">,
    private readonly bridge: Bridge,
    private readonly reach: Reach,
  ) {}

  async sync(text: Int32Array, sampling: Sampling): Promise<void> {
    let known = 0;
    while (known < text.length && text[known] === this.#text[known]) known++;
    this.bridge.learn?.(text.subarray(known));
    this.#text = text.slice();
    this.#sampling = sampling;
    this.#asked.clear();
  }

  /** The draft model reads the text down to each node in its own tokens; what it has read of it stays in its cache. */
  async propose(nodes: { readonly tokens: Int32Array; readonly parents: Int32Array }): Promise<Distribution[]> {
    const distributions: Distribution[] = [];
    for (const place of this.#asked.add(nodes)) {
      const q = await this.#below(place);
      if (q === undefined) break;
      distributions.push(q);
    }
    return distributions;
  }

  close(): void {
    this.model.close?.();
  }

  /** Undefined where the draft model's context is full, or nothing that it says can be drafted. */
  async #below(node: number): Promise<Distribution | undefined> {
    const path: number[] = [];
    for (let at = node; at >= 0; at = this.#asked.parents[at]) path.push(this.#asked.tokens[at]);
    const line = new Int32Array(this.#text.length + path.length);
    line.set(this.#text);
    line.set(path.reverse(), this.#text.length);
    const own = this.text.of(line).slice();
    if (own.length === 0) return undefined;
    await this.model.sync(own, this.#sampling);
    const [q] = await this.model.propose(NOTHING);
    return q && await this.#bridged(q);
  }

  async #bridged(root: Distribution): Promise<Distribution | undefined> {
    const { first, spellings } = this.bridge;
    const { rows, least } = this.reach;
    const weights = new Weights(this.vocab, root.tokens !== undefined);
    let open: Open[] = [];
    forEach(root, (token, likelihood) => {
      weights.add(first[token], likelihood);
      if (spellings.begins[token] === 1 && likelihood >= least) {
        open.push({ path: [token], spelling: spellings.after(token)!, likelihood, token: first[token], parent: -1 });
      }
    });
    for (let asked = 0; asked < rows && open.length > 0;) {
      const likeliest = top(weighing(open), rows - asked).map((i) => open[i]);
      const answers = await this.model.propose({
        tokens: Int32Array.from(likeliest, ({ path }) => path[path.length - 1]),
        parents: Int32Array.from(likeliest, ({ parent }) => parent),
      });
      open = [];
      answers.forEach((q, i) => {
        const above = likeliest[i];
        for (const own of this.bridge.changing(q, above.spelling)) {
          const likelihood = above.likelihood * probability(q, own);
          if (!(likelihood > 0)) continue;
          const path = [...above.path, own];
          const spelling = above.spelling.longer?.get(own);
          const token = this.bridge.tokenOf(path, above.token, spelling);
          weights.add(above.token, -likelihood);
          weights.add(token, likelihood);
          if (spelling?.longer !== undefined && likelihood >= least) {
            open.push({ path, spelling, likelihood, token, parent: asked + i });
          }
        }
      });
      if (answers.length < likeliest.length) break; // its context is full
      asked += answers.length;
    }
    return weights.distribution();
  }
}

/** Open paths as a distribution of their numbers. */
function weighing(open: readonly Open[]): Distribution {
  return { vocab: open.length, probabilities: Float64Array.from(open, ({ likelihood }) => likelihood) };
}

/** Likelihoods by token of the target, added up. */
class Weights {
  readonly #few: Map<number, number> | undefined;
  readonly #all: Float64Array;

  constructor(private readonly vocab: number, few: boolean) {
    this.#few = few ? new Map() : undefined;
    this.#all = new Float64Array(few ? 0 : vocab);
  }

  /** Nothing where the token is −1. */
  add(token: number, weight: number): void {
    if (token < 0) return;
    if (this.#few !== undefined) this.#few.set(token, (this.#few.get(token) ?? 0) + weight);
    else this.#all[token] += weight;
  }

  /** Undefined where there are none. What rounding has left below 0 is 0. */
  distribution(): Distribution | undefined {
    const few = this.#few && [...this.#few];
    const d = few === undefined
      ? { vocab: this.vocab, probabilities: this.#all }
      : sparse(this.vocab, few.map(([token]) => token), few.map(([, weight]) => weight));
    const { probabilities } = d;
    for (let i = 0; i < probabilities.length; i++) if (probabilities[i] < 0) probabilities[i] = 0;
    return mass(d) > 0 ? normalise(d) : undefined;
  }
}
