// successors: what followed the last two tokens in this text, and the last one, as a distribution. A proposer that
// costs nothing, for shapes and for the branches of `spine`. Counts of the text itself, nothing that a model said: it
// implements no paper. (Token Recycling, arXiv 2408.08696, keeps what the target found likely after each token.)
import { AskedNodes } from "../../src/draft/asked-nodes.ts";
import { type Distribution, sparse } from "../../src/math/distribution.ts";
import type { Proposer } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";

/** A pair of tokens tells more than one: so many times as much does each of its sightings count. */
const PAIR = 4;

/** The key of what stands anywhere. */
const ANY = "";

type Counts = Map<number, number>;

export class SuccessorProposer implements Proposer {
  readonly #after = new Map<string, Counts>();
  #text: number[] = [];
  readonly #asked = new AskedNodes();

  constructor(readonly vocab: number) {}

  async sync(text: Int32Array): Promise<void> {
    let shared = 0;
    while (shared < this.#text.length && this.#text[shared] === text[shared]) shared++;
    if (shared < this.#text.length) { // another text
      this.#after.clear();
      this.#text = [];
      shared = 0;
    }
    for (let at = shared; at < text.length; at++) {
      for (const key of [ANY, ...keys(text[at - 1], text[at - 2])]) this.#count(key, text[at]);
      this.#text.push(text[at]);
    }
    this.#asked.clear();
  }

  async propose(nodes: { readonly tokens: Int32Array; readonly parents: Int32Array }): Promise<Distribution[]> {
    return this.#asked.add(nodes).map((node) => this.#q(this.#token(node), this.#token(this.#above(node))));
  }

  /** Node of a place above another; below −1 are the tokens of the text, backwards. */
  #above(node: number): number {
    return node >= 0 ? this.#asked.parents[node] : node - 1;
  }

  #token(node: number): number | undefined {
    return node >= 0 ? this.#asked.tokens[node] : this.#text[this.#text.length + node];
  }

  #count(key: string, token: number): void {
    let counts = this.#after.get(key);
    if (counts === undefined) this.#after.set(key, counts = new Map());
    counts.set(token, (counts.get(token) ?? 0) + 1);
  }

  #q(last: number | undefined, before: number | undefined): Distribution {
    const weights: Counts = new Map();
    keys(last, before).forEach((key, i) => {
      for (const [token, count] of this.#after.get(key) ?? []) {
        weights.set(token, (weights.get(token) ?? 0) + (i === 0 ? count : PAIR * count));
      }
    });
    const known = weights.size > 0 ? weights : this.#after.get(ANY)!; // after what is new anything may follow
    const sum = [...known.values()].reduce((a, b) => a + b, 0);
    return sparse(this.vocab, [...known.keys()], Array.from(known.values(), (count) => count / sum));
  }
}

function keys(last: number | undefined, before: number | undefined): string[] {
  if (last === undefined) return [];
  return before === undefined ? [`${last}`] : [`${last}`, `${before} ${last}`];
}

export default definePlugin({
  kind: "proposer",
  name: "successors",
  summary: "what followed the last tokens in this text before; costs nothing",
  create: (_, __, { target }) => new SuccessorProposer(target.source.spec.vocab),
});
