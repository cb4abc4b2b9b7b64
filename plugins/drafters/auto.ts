// auto: whatever followed the same words before, as a tree that is as large as pays. Every earlier place like the end of
// the text is a guess; how likely it is right is learned from what the target accepts, and the tree takes the likeliest
// paths as long as each node is worth its row on the engine's cost curve.
//
// Ours, put together from published pieces: lookup in the context (Inference with Reference, Yang et al., 2023, arXiv
// 2304.04487), continuations scored by how often they follow (SuffixDecoding, Oliaro et al., 2024, arXiv 2411.04975), the
// tree of the likeliest paths (OPT-Tree, Wang et al., 2024, arXiv 2406.17276). Chosen tokens, law `point`: lossless with
// every rule that judges them.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { bestFirst, type Candidate } from "../../src/draft/best-first.ts";
import { Calibration, type Features, logOdds } from "../../src/draft/calibration.ts";
import { type Match, Ngrams } from "../../src/draft/ngrams.ts";
import { nodesIn } from "../../src/draft/tree-edit.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** Longest matches of 1, 2, 3, 4, 5, 6, 7 … 8, 9 … 16 and more tokens. */
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 16, Infinity];
/** Features: one for each of LENGTHS, then the share of the votes and how this text has gone so far. */
const SHARE = LENGTHS.length;
const SO_FAR = SHARE + 1;
/** Where learning starts: fitted on half of the prompts of `npm run bench -- replay`, which prints them. */
const WEIGHTS = [-0.6, -0.3, 0, 0.3, 0.6, 0.9, 1.2, 1.6, 2.4, 1, 0.5];
/** Verdicts that WEIGHTS are worth. */
const TRUST = 4;
/** What the share of a text's accepted guesses forgets with each guess. */
const MEMORY = 0.97;

interface Guess extends Candidate {
  readonly features: Features;
  readonly length: number;
  /** The earlier places that go on with this token. */
  readonly matches: readonly Match[];
}

type Drafted = ReturnType<typeof bestFirst<Guess>>;

export class AutoDrafter implements Drafter {
  readonly name = "auto";
  readonly laws = ["point"] as const;
  readonly #context = new Ngrams();
  readonly #calibration = new Calibration(WEIGHTS, TRUST);
  #drafted: Drafted = { tree: EMPTY_TREE, candidates: [] };
  #hits = 0;
  #tries = 0;

  begin(prompt: Int32Array): void {
    this.#context.clear();
    this.#context.append(prompt);
    this.#hits = this.#tries = 0;
  }

  draft(plan: Plan): DraftTree {
    const soFar = logOdds(this.#hits, this.#tries);
    this.#drafted = bestFirst<Guess>(plan, (path) => this.#guesses(path, soFar));
    return this.#drafted.tree;
  }

  observe({ tree, verdict, committed }: Round): void {
    const path = new Set(verdict.path);
    const drafted = nodesIn(this.#drafted.tree, tree);
    for (let node = 0; node < tree.tokens.length; node++) {
      if (tree.parents[node] >= 0 && !path.has(tree.parents[node])) continue; // nobody judged it
      const accepted = path.has(node);
      const guess = this.#drafted.candidates[drafted[node]];
      this.#calibration.see(guess.features, accepted);
      this.#hits = this.#hits * MEMORY + (accepted ? 1 : 0);
      this.#tries = this.#tries * MEMORY + 1;
    }
    this.#context.append(committed);
  }

  /** What the places that agree with `path` go on with. */
  #guesses(path: readonly Guess[], soFar: number): Guess[] {
    const { text } = this.#context;
    const at = (place: number) => place < text.length ? text.at(place) : path[place - text.length].token;
    const matches = path.length === 0 ? this.#context.matches() : path[path.length - 1].matches;
    const byToken = new Map<number, Match[]>();
    let votes = 0;
    for (const match of matches) {
      const token = at(match.next);
      const follow = { next: match.next + 1, length: match.length + 1 };
      const same = byToken.get(token);
      if (same === undefined) byToken.set(token, [follow]);
      else same.push(follow);
      votes += match.length;
    }
    return Array.from(byToken, ([token, follows]) => {
      const length = follows.reduce((most, { length }) => Math.max(most, length), 0) - 1;
      const share = follows.reduce((sum, { length }) => sum + length - 1, 0) / votes;
      const features = new Float64Array(WEIGHTS.length);
      features[LENGTHS.findIndex((most) => length <= most)] = 1;
      features[SHARE] = Math.log(share);
      features[SO_FAR] = soFar;
      return { token, probability: this.#calibration.probability(features), features, length, matches: follows };
    });
  }
}

export default definePlugin({
  kind: "drafter",
  name: "auto",
  summary: "whatever followed the same words before, as a tree that is as large as pays",
  controller: "marginal",
  paper: {
    title: "Inference with Reference: Lossless Acceleration of Large Language Models",
    year: 2023,
    arxiv: "2304.04487",
  },
  create: () => new AutoDrafter(),
});
