// auto: what the text or the target has said before, as a tree that is as large as pays. Every earlier place like the
// end of the text is a guess, and so is every token that the target found likely after the same words; how likely a
// guess is right is learned from what the target accepts, and the tree takes the likeliest paths as long as each node is
// worth its row on the engine's cost curve.
//
// Ours, put together from published pieces: lookup in the context (Inference with Reference, Yang et al., 2023, arXiv
// 2304.04487), the target's own candidates kept (Token Recycling, Luo et al., 2024, arXiv 2408.08696), continuations
// scored by how often they follow (SuffixDecoding, Oliaro et al., 2024, arXiv 2411.04975), the tree of the likeliest paths
// (OPT-Tree, Wang et al., 2024, arXiv 2406.17276); with --store also what followed in earlier texts (REST, He et al., 2023,
// arXiv 2311.08252). Chosen tokens, law `point`: lossless with every rule that judges them.
// Memory: 2.5 MB for what is recycled, at most 200 bytes a token of the text.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { Calibration, type Features, logOdds } from "../../src/draft/calibration.ts";
import { fill } from "../../src/draft/fill.ts";
import { type Match, Ngrams } from "../../src/draft/ngrams.ts";
import { Recycled } from "../../src/draft/recycled.ts";
import { nodesIn } from "../../src/draft/tree-edit.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Corpus, Places } from "../../src/store/corpus.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** Longest matches of 1, 2, 3, 4, 5, 6, 7 … 8, 9 … 16 and more tokens. */
const LENGTHS = [1, 2, 3, 4, 5, 6, 8, 16, Infinity];
/** Features: one for each of LENGTHS and one for no match, … */
const NO_MATCH = LENGTHS.length;
/** … the logarithm of the share of the votes, how this text has gone so far, … */
const SHARE = NO_MATCH + 1;
const SO_FAR = SHARE + 1;
/** … the log-odds that the target gave the token after the same two tokens, or that it is not among its candidates, … */
const AFTER_PAIR = SO_FAR + 1;
const NOT_AFTER_PAIR = AFTER_PAIR + 1;
/** … and the same after the same token, where the two are new. */
const AFTER_TOKEN = NOT_AFTER_PAIR + 1;
const NOT_AFTER_TOKEN = AFTER_TOKEN + 1;
/** … and how long the match in the store is, of 2, 3 … 4, 5 … 8 and more tokens, the token's share there, or none. */
const STORED = NOT_AFTER_TOKEN + 1;
const STORED_LENGTHS = [2, 4, 8, Infinity];
const STORED_SHARE = STORED + STORED_LENGTHS.length;
const NOT_STORED = STORED_SHARE + 1;
/**
 * Where learning starts, in the order above: about where it ended after 56 recorded texts (`npm run bench -- replay
 * --weights`), those of the store with half of the answers as a store for the other half.
 */
const WEIGHTS = [
  ...[-0.4, 0.3, 0.7, 0.9, 1, 1.4, 1.4, 2, 2.6, -1.8, 0.9, 0.2, 0.2, -0.6, 0.1, -0.5],
  ...[0.9, 0.9, 1.2, 1.5, 0.5, -0.4],
];
/** Verdicts that WEIGHTS are worth. */
const TRUST = 4;
/** What the share of a text's accepted guesses forgets with each guess. */
const MEMORY = 0.97;
/** Candidates of a row that are kept, and how likely one must have been to be drafted for itself. */
const RECYCLED = 8;
const LEAST = 0.02;

/** Most and fewest tokens of a match in the store. */
const STORE_MOST = 16;
const STORE_LEAST = 2;
/** Paths less likely than this are not followed, and this where nothing is known of what rows cost. */
const LEAST_PATH = 0.02;
const LEAST_BLIND = 0.4;

interface Guess {
  readonly token: number;
  readonly probability: number;
  readonly source: string;
  readonly features: Features;
  /** The earlier places that go on with this token. */
  readonly matches: readonly Match[];
  /** The places of the store that do. */
  readonly stored?: Places;
}

export class AutoDrafter implements Drafter {
  readonly name = "auto";
  readonly laws = ["point"] as const;
  readonly candidates = RECYCLED;
  readonly #context = new Ngrams();
  readonly #recycled = new Recycled(RECYCLED);
  readonly #calibration = new Calibration(WEIGHTS, TRUST);
  #tree: DraftTree = EMPTY_TREE;
  /** [size] What each of its nodes was. */
  #drafted: Guess[] = [];
  #hits = 0;
  #tries = 0;

  /** `store`: earlier texts to look things up in. */
  constructor(private readonly store?: Corpus) {}

  /** What has been learned, in the order of the features. */
  get weights(): readonly number[] {
    return [...this.#calibration.weights];
  }

  begin(prompt: Int32Array): void {
    this.#context.clear();
    this.#context.append(prompt);
    this.#hits = this.#tries = 0;
    this.#forgetDraft();
  }

  draft(plan: Plan): DraftTree {
    const soFar = logOdds(this.#hits, this.#tries);
    const { tree, places } = fill<readonly Guess[]>(plan, [], (path, offer) => {
      for (const guess of this.#guesses(path, soFar)) offer(guess.token, guess.probability, [...path, guess]);
    }, plan.cost === undefined ? LEAST_BLIND : LEAST_PATH);
    this.#drafted = places.map((path) => path[path.length - 1]);
    return this.#tree = { ...tree, sources: this.#drafted.map(({ source }) => source) };
  }

  observe({ tree, verdict, committed, candidates }: Round): void {
    const path = new Set(verdict.path);
    const drafted = nodesIn(this.#tree, tree);
    for (let node = 0; node < tree.tokens.length; node++) {
      if (tree.parents[node] >= 0 && !path.has(tree.parents[node])) continue; // nobody judged it
      const accepted = path.has(node);
      const guess = this.#drafted[drafted[node]];
      if (guess === undefined) continue; // another drafter's
      this.#calibration.see(guess.features, accepted);
      this.#hits = this.#hits * MEMORY + (accepted ? 1 : 0);
      this.#tries = this.#tries * MEMORY + 1;
    }
    candidates?.forEach((row, at) => {
      const [before, token] = this.#lastTwo(pathTo(tree, at - 1));
      this.#recycled.see(before, token, row);
    });
    this.#context.append(committed);
    this.#forgetDraft();
  }

  /** The next tree may be another drafter's. */
  #forgetDraft(): void {
    this.#tree = EMPTY_TREE;
    this.#drafted = [];
  }

  /** The last two tokens of the text and a path below it; −1 for what is not there. */
  #lastTwo(path: readonly number[]): [number, number] {
    const { text } = this.#context;
    const at = (place: number) => place < 0 ? -1 : place < text.length ? text.at(place) : path[place - text.length];
    const length = text.length + path.length;
    return [at(length - 2), at(length - 1)];
  }

  /** What the places that agree with `path` go on with, and what the target found likely there. */
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
    const known = this.#recycled.after(...this.#lastTwo(path.map(({ token }) => token)));
    known?.row.tokens.forEach((token, i) => {
      if (known.row.probabilities[i] >= LEAST && !byToken.has(token)) byToken.set(token, []);
    });
    const places = path.length === 0
      ? this.store?.find(text.view, STORE_MOST, STORE_LEAST)
      : path[path.length - 1].stored;
    const stored = new Map<number, Places>();
    for (const next of places?.next() ?? []) {
      stored.set(next.token, next.places);
      if (!byToken.has(next.token)) byToken.set(next.token, []);
    }
    return Array.from(byToken, ([token, follows]) => {
      const features = new Float64Array(WEIGHTS.length);
      const longest = follows.reduce((most, { length }) => Math.max(most, length - 1), 0);
      if (longest === 0) features[NO_MATCH] = 1;
      else {
        features[LENGTHS.findIndex((most) => longest <= most)] = 1;
        features[SHARE] = Math.log(follows.reduce((sum, { length }) => sum + length - 1, 0) / votes);
      }
      features[SO_FAR] = soFar;
      if (known) {
        const rank = known.row.tokens.indexOf(token);
        if (rank < 0) features[known.pair ? NOT_AFTER_PAIR : NOT_AFTER_TOKEN] = 1;
        else features[known.pair ? AFTER_PAIR : AFTER_TOKEN] = odds(known.row.probabilities[rank]);
      }
      const there = stored.get(token);
      if (places !== undefined) {
        if (there === undefined) features[NOT_STORED] = 1;
        else {
          features[STORED + STORED_LENGTHS.findIndex((most) => places.length <= most)] = 1;
          features[STORED_SHARE] = Math.log(there.count / places.count);
        }
      }
      const probability = this.#calibration.probability(features);
      const source = longest > 0 ? `match of ${sizeOf(longest)}` : there ? "store" : "recycled";
      return { token, probability, features, matches: follows, stored: there, source };
    });
  }
}

/** Of a match in the text, to show. */
function sizeOf(length: number): string {
  return length < 3 ? "1–2" : length < 8 ? "3–7" : "8+";
}

/** The tokens from the root's child down to a node; none for −1. */
function pathTo(tree: DraftTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0; at = tree.parents[at]) path.unshift(tree.tokens[at]);
  return path;
}

/** ln(p / (1 − p)), between −7 and 7. */
function odds(probability: number): number {
  const p = Math.min(0.999, Math.max(0.001, probability));
  return Math.log(p / (1 - p));
}

export default definePlugin({
  kind: "drafter",
  name: "auto",
  summary: "what the text or the target has said before, as a tree that is as large as pays",
  controller: "marginal",
  create: (_options, _argument, context) => new AutoDrafter(context.corpus?.()),
});
