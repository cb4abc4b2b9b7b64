// suffix: what followed the end of the text before, in this text or in earlier answers, by how often it did. Long matches
// draft much, short ones little.
// SuffixDecoding: Extreme Speculative Decoding for Emerging AI Applications (Oliaro et al., 2024, arXiv 2411.04975).
//
// As in the paper: one structure of the prompt with its answer and one of all earlier answers; a tree grown from the most
// frequent continuations, D(node) = D(parent) · count(node) / count of all siblings; its size follows the match, factor ·
// length + offset; of all matches, long and short, in both, the tree of the greatest ΣD is drafted; nodes with D below
// `least` are left out. Suffix automata stand for the paper's suffix trees: they know the same substrings. Matches have up to 64 tokens.
// Where the end of the text is itself a match, it goes on repeating. Earlier answers are of this run, their number is
// bounded, and those that drafts were taken from least go first.
//
// Law `point`. Memory: less than 300 bytes a token of the text, and of earlier answers: 30 MB for the default 100,000 tokens,
// half as much again while old ones are put away.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { EarlierTexts } from "../../src/draft/earlier-texts.ts";
import { fill, type Filled, type Next } from "../../src/draft/fill.ts";
import { LONGEST, START, SuffixAutomaton } from "../../src/draft/suffix-automaton.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { nodesIn } from "../../src/draft/tree-edit.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** The end of a text as an automaton knows it: its longest suffix that stands there, of up to LONGEST tokens. */
class Match {
  constructor(readonly automaton: SuffixAutomaton, public state = START, public length = 0) {}

  follow(token: number): void {
    const { automaton } = this;
    let to = automaton.step(this.state, token);
    while (to < 0 && this.state !== START) {
      this.state = automaton.link(this.state);
      this.length = automaton.length(this.state);
      to = automaton.step(this.state, token);
    }
    if (to < 0) return;
    this.length = Math.min(this.length + 1, LONGEST);
    this.state = automaton.counted(to);
  }

  followed(path: Int32Array): Match {
    const match = new Match(this.automaton, this.state, this.length);
    for (const token of path) match.follow(token);
    return match;
  }
}

export interface SuffixOptions {
  /** Nodes for each token of the match, and beside those. */
  readonly factor: number;
  readonly offset: number;
  /** Nodes found less likely are left out, 0 … 1. */
  readonly least: number;
  /** Tokens of earlier answers. */
  readonly most: number;
}

const NOTHING: Filled<number> = { tree: EMPTY_TREE, places: [], expected: 0 };

export class SuffixDrafter implements Drafter {
  readonly name = "suffix";
  readonly laws = ["point"] as const;
  readonly #text = new TokenBuffer();
  #prompt = 0;
  #own = new SuffixAutomaton();
  readonly #earlier: EarlierTexts;
  #elsewhere: Match;
  /** The last draft, where it came from earlier answers. */
  #drafted: Filled<number> | undefined;

  constructor(private readonly options: SuffixOptions) {
    this.#earlier = new EarlierTexts(options.most);
    this.#elsewhere = new Match(this.#earlier.automaton);
  }

  begin(prompt: Int32Array): void {
    this.#earlier.add(this.#text.view.subarray(this.#prompt));
    this.#drafted = undefined;
    this.#prompt = prompt.length;
    this.#own = new SuffixAutomaton();
    this.#text.clear();
    this.#text.append(prompt);
    for (const token of prompt) this.#own.append(token);
    this.#lookUp();
  }

  draft(plan: Plan): DraftTree {
    const { filled, match } = this.#best(plan, new Int32Array(0));
    this.#drafted = match === this.#own ? undefined : filled;
    return filled.tree;
  }

  after(path: Int32Array, plan: Plan): DraftTree {
    return this.#best(plan, path).filled.tree;
  }

  observe({ tree, verdict, committed }: Round): void {
    if (this.#drafted !== undefined && verdict.path.length > 0) {
      const node = nodesIn(this.#drafted.tree, tree)[verdict.path[verdict.path.length - 1]];
      const place = this.#drafted.places[node];
      if (place !== undefined) this.#earlier.credit(this.#elsewhere.automaton.end(place));
    }
    this.#drafted = undefined;
    this.#text.append(committed);
    for (const token of committed) {
      this.#own.append(token);
      this.#elsewhere.follow(token);
    }
    this.#earlier.tidy();
    if (this.#elsewhere.automaton !== this.#earlier.automaton) this.#lookUp();
  }

  #lookUp(): void {
    this.#elsewhere = new Match(this.#earlier.automaton).followed(this.#text.view.subarray(-LONGEST));
  }

  /** Of all matches the tree that most is expected of; of equal ones that of this text, and of the longest match. */
  #best(plan: Plan, path: Int32Array): { filled: Filled<number>; match?: SuffixAutomaton } {
    const { factor, offset, least } = this.options;
    const own = new Match(this.#own, this.#own.repeated, Math.min(this.#own.length(this.#own.repeated), LONGEST));
    let best: { filled: Filled<number>; match?: SuffixAutomaton } = { filled: NOTHING };
    for (const { automaton, state: longest, length: most } of [own, this.#elsewhere].map((of) => of.followed(path))) {
      const next = nextIn(automaton);
      for (
        let state = longest, length = most;
        state !== START;
        state = automaton.link(state), length = automaton.length(state)
      ) {
        if (!automaton.goesOn(state)) continue;
        const nodes = Math.min(plan.nodes, Math.floor(factor * length + offset));
        // At most one node of each depth is accepted: nor would a shorter match bring more.
        if (Math.min(nodes, plan.depth) <= best.filled.expected) break;
        const filled = fill({ ...plan, nodes }, state, next, least);
        if (filled.expected > best.filled.expected) best = { filled, match: automaton };
      }
    }
    return best;
  }
}

/** What followed a state, by how often; the end of a text goes on as its longest repeated end did. */
function nextIn(automaton: SuffixAutomaton): Next<number> {
  return (place, offer) => {
    let state = automaton.counted(place);
    while (state !== START && !automaton.goesOn(state)) state = automaton.link(state);
    if (state === START) return;
    let all = 0;
    automaton.forEachNext(state, (_, to) => all += automaton.count(to));
    automaton.forEachNext(state, (token, to) => offer(token, automaton.count(to) / all, to));
  };
}

export default definePlugin({
  kind: "drafter",
  name: "suffix",
  summary: "what followed the same words most often, in this text and in earlier answers of the run",
  paper: {
    title: "SuffixDecoding: Extreme Speculative Decoding for Emerging AI Applications",
    year: 2024,
    arxiv: "2411.04975",
  },
  options: {
    factor: { type: "number", default: 1, min: 0, max: 64, summary: "drafted tokens for each token of the match" },
    offset: { type: "number", default: 0, min: -64, max: 256, summary: "and so many more" },
    least: { type: "number", default: 0.1, min: 0, max: 1, summary: "paths found less likely are left out" },
    most: {
      type: "integer",
      default: 100_000,
      min: 1000,
      max: 200_000,
      summary: "tokens of earlier answers that are kept, 300 bytes each",
    },
  },
  create: (options) => new SuffixDrafter(options),
});
