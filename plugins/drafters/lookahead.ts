// lookahead: the target guesses several places ahead at once, again and again, and what it says becomes n-grams to draft
// from. No token is drafted by anybody else.
// Break the Sequential Dependency of LLM Inference Using Lookahead Decoding (Fu et al., 2024, arXiv 2402.02057).
//
// As in the paper: a window of `window` columns and `ngram` − 1 levels, the Jacobi trajectories of the next places; every
// pass takes them one step on, and each column then is an n-gram for the pool; the pool's n-grams that begin with the last
// token are verified in the same pass, at most `guesses`; n-grams of the prompt are in the pool from the start.
// The paper's mask lets a token of the window see the first level up to its column and its own column above itself.
// That is a draft tree: the first level is a chain below the root, each column a chain below its token of it. So the
// window needs no rows of another kind. It differs in three ways: its rows are judged as well (now and then one is right),
// they are counted as drafted (of the source `window`), and an engine that is exact for chains alone is given no window
// under --strict.
//
// Law `point`. Memory: ngram·guesses·4 bytes for each token that occurred in this text, at most 13 MB. From text to text:
// nothing.
import type { Plan, Round } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { JoinedTree } from "../../src/draft/joined-tree.ts";
import { Phrases } from "../../src/draft/phrases.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import { nodesIn } from "../../src/draft/tree-edit.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

export class LookaheadDrafter implements Drafter {
  readonly name = "lookahead";
  readonly laws = ["point"] as const;
  readonly candidates = 1;
  readonly #text = new TokenBuffer();
  readonly #pool: Phrases;
  readonly #levels: number;
  /**
   * [levels][window] What the target is thought to say: level j of column i, i + j tokens after the last one of the text.
   * Level 0 of column 0 is that token itself.
   */
  readonly #ahead: Int32Array[];
  #drafted: DraftTree = EMPTY_TREE;
  /** The node of the last draft that each column ends in; −1 for those that were left out. */
  #ends: number[] = [];
  #filler = 0;

  /** `window` ≥ 1 columns, n-grams of `ngram` ≥ 2 tokens, at most `guesses` ≥ 1 of them in a draft. */
  constructor(private readonly window: number, ngram: number, private readonly guesses: number) {
    this.#levels = ngram - 1;
    this.#pool = new Phrases(this.#levels, guesses);
    this.#ahead = Array.from({ length: this.#levels }, () => new Int32Array(window));
  }

  begin(prompt: Int32Array): void {
    this.#text.clear();
    this.#text.append(prompt);
    this.#pool.clear();
    this.#pool.addAll(prompt);
    this.#filler = 0;
    for (const level of this.#ahead) for (let column = 0; column < this.window; column++) level[column] = this.#fill();
  }

  draft(plan: Plan): DraftTree {
    const joined = new JoinedTree(plan);
    // The window gets its nodes whatever the pool has, for without it the pool learns nothing.
    const columns = this.#columns(plan);
    const reserved = columns === 0 ? 0 : this.#rows(columns);
    for (const phrase of this.#pool.after(this.#text.last)) {
      joined.addChain(-1, phrase.subarray(0, joined.room - reserved), "n-gram");
    }
    this.#ends = new Array<number>(this.window).fill(-1);
    let trunk = -1;
    for (let column = 0; column < columns; column++) {
      if (column > 0) trunk = joined.add(trunk, this.#ahead[0][column], NaN, "window");
      if (column > 0 && trunk < 0) break;
      const below = joined.addChain(trunk, this.#ahead.slice(1).map((level) => level[column]), "window");
      if (below.length === this.#levels - 1) this.#ends[column] = below.at(-1) ?? trunk;
    }
    this.#drafted = joined.tree;
    return this.#drafted;
  }

  observe({ tree, committed, candidates = [] }: Round): void {
    const said = this.#said(tree, candidates.map(({ tokens }) => tokens[0]));
    this.#ahead[0][0] = this.#text.last;
    said.forEach((token, column) => {
      if (token === undefined) return;
      const phrase = [...this.#ahead.slice(1).map((level) => level[column]), token];
      this.#pool.add(this.#ahead[0][column], phrase);
    });
    this.#step(said, committed.length - 1);
    const from = this.#text.length - this.#levels;
    this.#text.append(committed);
    this.#pool.addAll(this.#text.view, from);
    this.#drafted = EMPTY_TREE;
    this.#ends = [];
  }

  /** What the target said at the end of each column; undefined where it was not asked. `rows`: of each row of the pass. */
  #said(tree: DraftTree, rows: readonly number[]): (number | undefined)[] {
    const place = new Map(nodesIn(this.#drafted, tree).map((drafted, node) => [drafted, node]));
    return Array.from({ length: this.window }, (_, column) => {
      if (this.#levels === 1 && column === 0) return rows[0];
      const node = place.get(this.#ends[column] ?? -1);
      return node === undefined ? undefined : rows[node + 1];
    });
  }

  /** The first level is dropped and what was said is the last; the window moves on by `further` more places. */
  #step(said: readonly (number | undefined)[], further: number): void {
    const last = this.#levels - 1;
    for (let level = 0; level <= last; level++) {
      for (let column = 0; column < this.window; column++) {
        const from = column + further;
        const token = level < last ? this.#ahead[level + 1][from] : said[from];
        this.#ahead[level][column] = token ?? this.#fill();
      }
    }
  }

  /** Columns that fit into half of the plan, into more of it where the pool's n-grams leave more, and into its depth. */
  #columns({ nodes, depth }: Plan): number {
    let columns = Math.min(this.window, depth - this.#levels + 2);
    const most = Math.max(nodes - this.guesses * this.#levels, Math.ceil(nodes / 2));
    while (columns > 0 && this.#rows(columns) > most) columns--;
    return Math.max(0, columns);
  }

  #rows(columns: number): number {
    return columns - 1 + columns * (this.#levels - 1);
  }

  /** Tokens of the text, spread, for places of which nothing is known; the paper takes them at random. */
  #fill(): number {
    this.#filler = (this.#filler + 7919) % this.#text.length;
    return this.#text.at(this.#filler);
  }
}

export default definePlugin({
  kind: "drafter",
  name: "lookahead",
  summary: "n-grams that the target itself guesses ahead, in branches of the pass that verifies (Jacobi)",
  controller: "fixed?nodes=29&depth=6",
  paper: {
    title: "Break the Sequential Dependency of LLM Inference Using Lookahead Decoding",
    year: 2024,
    arxiv: "2402.02057",
  },
  options: {
    window: { type: "integer", default: 5, min: 1, max: 64, summary: "places guessed ahead" },
    ngram: { type: "integer", default: 4, min: 2, max: 16, summary: "tokens of an n-gram" },
    guesses: { type: "integer", default: 5, min: 1, max: 64, summary: "most n-grams verified in a pass" },
  },
  create: ({ window, ngram, guesses }) => new LookaheadDrafter(window, ngram, guesses),
});
