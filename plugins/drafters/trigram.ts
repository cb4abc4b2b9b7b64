// trigram: what the target says after two tokens, kept as a matrix, and a tree that a search draws from it: the likeliest
// paths most, untried ones sometimes.
// Adaptive Draft-Verification for Efficient Large Language Model Decoding (ADED; Liu et al., 2024, arXiv 2407.12021).
//
// As in the paper: a tri-gram matrix that stands for the target's distribution and is brought up to date by every pass,
// from the likeliest candidates of its rows; drafts by a Monte Carlo tree search over it, which follows Q + E, where Q is
// what a branch has been worth and E = P · √N(parent) / (1 + N) · (C1 + ln((N(parent) + C2 + 1) / C2)) draws it to what
// was tried little; the draft is what was visited most. Here a branch is worth the tokens expected to be accepted on it,
// by the matrix. Left out: a matrix made from a corpus beforehand (this one begins empty, then holds the prompt, and
// stays from text to text).
//
// Law `point`. Memory: 4.8 MiB and the text: 65,536 pairs of tokens with 8 successors each; the pair seen longest ago
// gives way.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { Worth } from "../../src/draft/fill.ts";
import { contextKey, SuccessorTable } from "../../src/draft/successor-table.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

const PAIRS = 1 << 16;
const WIDTH = 8;
/** Of the exploration, as in AlphaZero's search. */
const C1 = 1.25;
const C2 = 19652;

export class TrigramDrafter implements Drafter {
  readonly name = "trigram";
  readonly laws = ["point"] as const;
  readonly candidates = WIDTH;
  readonly #matrix = new SuccessorTable(PAIRS, WIDTH);
  readonly #text = new TokenBuffer();
  readonly observePrompt: Drafter["observePrompt"];

  /** `searches`: paths that are tried for a draft, ≥ 1. `prompted`: the prompt's rows come in as well. */
  constructor(private readonly searches: number, prompted = false) {
    if (!prompted) return;
    this.observePrompt = (from, rows) =>
      rows.forEach(({ tokens, probabilities }, i) => {
        const at = from + i;
        if (at > 0) this.#matrix.see(contextKey(this.#text.at(at), this.#text.at(at - 1)), tokens, probabilities);
      });
  }

  /** What the text before began with as well has been seen: a chat says all of it again at every turn. */
  begin(prompt: Int32Array): void {
    let from = 0;
    while (from < Math.min(prompt.length, this.#text.length) && this.#text.at(from) === prompt[from]) from++;
    this.#text.truncate(from);
    this.#text.append(prompt.subarray(from));
    for (let at = Math.max(1, from); at < prompt.length; at++) {
      this.#matrix.see(contextKey(prompt[at - 1], prompt[at - 2] ?? -1), [prompt[at]], [1]);
    }
  }

  /** The last two tokens of the text and a path below it; −1 for what is not there. */
  #lastTwo(...path: readonly number[]): [number, number] {
    const [before = -1, last = -1] = [-1, -1, ...this.#text.view.subarray(-2), ...path].slice(-2);
    return [before, last];
  }

  draft(plan: Plan): DraftTree {
    return new Search(this.#matrix, ...this.#lastTwo()).draft(plan, this.searches);
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    return new Search(this.#matrix, ...this.#lastTwo(...path)).draft(plan, this.searches);
  }

  observe({ tree, committed, candidates = [] }: Round): void {
    candidates.forEach(({ tokens, probabilities }, row) => {
      const node = row - 1;
      const above = node < 0 ? -1 : tree.parents[node];
      const path = [...above < 0 ? [] : [tree.tokens[above]], ...node < 0 ? [] : [tree.tokens[node]]];
      const [before, last] = this.#lastTwo(...path);
      this.#matrix.see(contextKey(last, before), tokens, probabilities);
    });
    this.#text.append(committed);
  }
}

/** A tree of what may come next; node 0 is the root. */
class Search {
  readonly #tokens: number[];
  readonly #parents = [-1];
  readonly #priors = [1];
  readonly #visits = [0];
  /** Sum over visits of the tokens expected to be accepted from the node on. */
  readonly #worth = [0];
  readonly #children: (number[] | undefined)[] = [undefined];

  constructor(private readonly matrix: SuccessorTable, private readonly before: number, last: number) {
    this.#tokens = [last];
  }

  draft({ nodes: most, depth, cost }: Plan, searches: number): DraftTree {
    for (let search = 0; search < searches; search++) if (!this.#try(depth)) break;
    // The most visited first. A parent is visited more than its child, or as often and stands before it.
    const order = this.#visits.map((_, node) => node).slice(1).filter((node) => this.#visits[node] > 0)
      .sort((a, b) => this.#visits[b] - this.#visits[a] || a - b)
      .slice(0, most);
    const values = new Map([[0, 1]]);
    const worth = new Worth(cost);
    for (const node of order) {
      const value = values.get(this.#parents[node])! * this.#priors[node];
      values.set(node, value);
      worth.add(value);
    }
    order.length = worth.nodes;
    if (order.length === 0) return EMPTY_TREE;
    const place = new Map([[0, -1], ...order.map((node, i) => [node, i] as const)]);
    return {
      tokens: Int32Array.from(order, (node) => this.#tokens[node]),
      parents: Int32Array.from(order, (node) => place.get(this.#parents[node])!),
      law: "point",
      q: () => undefined,
      confidence: Float64Array.from(order, (node) => this.#priors[node]),
    };
  }

  /** Down to a node that was not visited yet, or to a leaf; false where there is nothing below the root. */
  #try(depth: number): boolean {
    let node = 0;
    for (let level = 0; level < depth; level++) {
      const children = this.#children[node] ??= this.#expanded(node);
      if (children.length === 0) break;
      node = this.#chosen(node, children);
      if (this.#visits[node] === 0) break;
    }
    if (node === 0) return false;
    let worth = 0;
    for (; node > 0; node = this.#parents[node]) {
      worth = this.#priors[node] * (1 + worth);
      this.#worth[node] += worth;
      this.#visits[node]++;
    }
    this.#visits[0]++;
    return true;
  }

  #chosen(parent: number, children: readonly number[]): number {
    const visits = this.#visits[parent];
    const explore = Math.sqrt(visits) * (C1 + Math.log((visits + C2 + 1) / C2));
    let [best, most] = [children[0], -1];
    for (const child of children) {
      const tries = this.#visits[child];
      const value = tries === 0 ? 0 : this.#worth[child] / tries;
      const score = value + this.#priors[child] * explore / (1 + tries);
      if (score > most) [best, most] = [child, score];
    }
    return best;
  }

  #expanded(node: number): number[] {
    const children: number[] = [];
    const before = node === 0 ? this.before : this.#tokens[this.#parents[node]];
    this.matrix.visit(contextKey(this.#tokens[node], before), (token, share) => {
      children.push(this.#tokens.push(token) - 1);
      this.#parents.push(node);
      this.#priors.push(share);
      this.#visits.push(0);
      this.#worth.push(0);
    });
    // Of equally good ones the likeliest is tried first.
    return children.sort((a, b) => this.#priors[b] - this.#priors[a] || a - b);
  }
}

export default definePlugin({
  kind: "drafter",
  name: "trigram",
  summary: "what the target says after two tokens, drawn from by a tree search (ADED)",
  paper: {
    title: "Adaptive Draft-Verification for Efficient Large Language Model Decoding",
    year: 2024,
    arxiv: "2407.12021",
  },
  options: {
    searches: { type: "integer", default: 150, min: 1, max: 10_000, summary: "paths tried for a draft" },
    prompt: {
      type: "boolean",
      default: false,
      summary: "learn from the prompt's rows too: the first token comes later",
    },
  },
  create: ({ searches, prompt }) => new TrigramDrafter(searches, prompt),
});
