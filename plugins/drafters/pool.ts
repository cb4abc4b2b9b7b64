// pool: a table of what followed the last few tokens, of all texts of a run, in one place each. The draft goes on from
// entry to entry until there is none.
// That is llama.cpp's `ngram-mod` (pull request 19164, 2026); it has no paper.
//
// As there: one entry for each hash of `size` tokens, the last writer wins and nothing is compared, so a draft may be another
// text's; the table is emptied where more than a quarter of it is taken as a text begins, and after three drafts in a
// row of which less than half was accepted, but for the text at hand. Other than there: the hash is one of 32 bits, a new n-gram counts at once
// and not 32 tokens later, and drafts are as long as the plan allows (there 48 to 64 tokens).
//
// Law `point`. Memory: 16 MiB, and 8 bytes for every entry that is taken: 24 MiB at most.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { chainTree, type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** Entries: a power of two. */
const ENTRIES = 1 << 22;
const FULL = 0.25;
const POOR = 0.5;
const PATIENCE = 3;
const FACTOR = 0x5851f42d;
const EMPTY = -1;

export class PoolDrafter implements Drafter {
  readonly name = "pool";
  readonly laws = ["point"] as const;
  readonly #entries: Int32Array;
  /** The entries that are not empty. */
  #used: number[] = [];
  readonly #text = new TokenBuffer();
  /** Hash of the last `size` tokens, once the text has as many. */
  #hash = 0;
  /** FACTOR to the power of `size`. */
  readonly #outgoing: number;
  /** The last draft, and drafts in a row of which little was accepted. */
  #drafted: Int32Array = EMPTY_TREE.tokens;
  #poorDrafts = 0;

  /** `size`: tokens of an n-gram, ≥ 1. `entries`: a power of two. */
  constructor(private readonly size: number, entries = ENTRIES) {
    this.#entries = new Int32Array(entries).fill(EMPTY);
    let power = 1;
    for (let i = 0; i < size; i++) power = Math.imul(power, FACTOR);
    this.#outgoing = power;
  }

  begin(prompt: Int32Array): void {
    if (this.#used.length > FULL * this.#entries.length) this.#empty();
    this.#poorDrafts = 0;
    this.#drafted = EMPTY_TREE.tokens;
    this.#text.clear();
    this.#hash = 0;
    this.#append(prompt);
  }

  draft(plan: Plan): DraftTree {
    const at = (back: number) => this.#text.at(this.#text.length - back);
    const tree = this.#chain(this.#hash, at, this.#text.length, plan);
    this.#drafted = tree.tokens;
    return tree;
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    const length = this.#text.length + path.length;
    const at = (back: number) => back <= path.length ? path[path.length - back] : this.#text.at(length - back);
    let hash = 0;
    for (let back = Math.min(this.size, length); back > 0; back--) hash = (Math.imul(hash, FACTOR) + at(back)) | 0;
    return this.#chain(hash, at, length, plan);
  }

  observe({ committed }: Round): void {
    this.#append(committed);
    const drafted = this.#drafted;
    this.#drafted = EMPTY_TREE.tokens;
    if (drafted.length === 0) return;
    let right = 0;
    while (right < drafted.length && drafted[right] === committed[right]) right++;
    this.#poorDrafts = right < POOR * drafted.length ? this.#poorDrafts + 1 : 0;
    if (this.#poorDrafts < PATIENCE) return;
    this.#empty();
    this.#poorDrafts = 0;
    this.#hash = 0;
    this.#note(0); // this text comes back in
  }

  #append(tokens: Int32Array): void {
    const first = this.#text.length;
    this.#text.append(tokens);
    this.#note(first);
  }

  #note(first: number): void {
    for (let at = first; at < this.#text.length; at++) {
      const token = this.#text.at(at);
      if (at >= this.size) {
        const entry = this.#entry(this.#hash);
        if (this.#entries[entry] === EMPTY) this.#used.push(entry);
        this.#entries[entry] = token;
      }
      this.#hash = this.#rolled(this.#hash, token, at >= this.size ? this.#text.at(at - this.size) : 0);
    }
  }

  /** `at(back)`: the token that stands so far back, 1 for the last; `length`: tokens before the chain. */
  #chain(hash: number, at: (back: number) => number, length: number, plan: Plan): DraftTree {
    if (length < this.size) return EMPTY_TREE;
    const tokens: number[] = [];
    const most = Math.min(plan.nodes, plan.depth);
    while (tokens.length < most) {
      const token = this.#entries[this.#entry(hash)];
      if (token === EMPTY) break;
      const back = this.size - tokens.length;
      hash = this.#rolled(hash, token, back > 0 ? at(back) : tokens[-back]);
      tokens.push(token);
    }
    return tokens.length === 0 ? EMPTY_TREE : chainTree(tokens);
  }

  #rolled(hash: number, incoming: number, outgoing: number): number {
    return (Math.imul(hash, FACTOR) + incoming - Math.imul(outgoing, this.#outgoing)) | 0;
  }

  /** Low bits of the hash depend on low bits of the tokens alone: all are mixed first. */
  #entry(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return (mixed ^ (mixed >>> 13)) & (this.#entries.length - 1);
  }

  #empty(): void {
    for (const entry of this.#used) this.#entries[entry] = EMPTY;
    this.#used = [];
  }
}

export default definePlugin({
  kind: "drafter",
  name: "pool",
  summary: "what followed the last few tokens in any text of the run, by hash (llama.cpp's ngram-mod)",
  options: {
    size: { type: "integer", default: 24, min: 1, max: 64, summary: "tokens of an n-gram" },
  },
  create: ({ size }) => new PoolDrafter(size),
});
