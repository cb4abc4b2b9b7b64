// A drafter guesses; a proposer only says how likely tokens are, and a shape turns that into a tree.
import type { Candidates, Sequence, Tap } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { Plan, Round, States } from "./controller.ts";
import type { Distribution } from "./math/distribution.ts";
import type { Sampling } from "./sampling.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";

/**
 * For example, a drafter that goes by what followed each token last (docs/examples/successor.ts): after the text 5 7 9 5 it
 * drafts the chain 7 9 5, tokens [7, 9, 5] under parents [−1, 0, 1], law `point`. When 7 8 is committed, nothing is known to
 * follow 8, and the next draft is empty.
 */
export interface Drafter {
  readonly name: string;
  /** The laws of the trees it can draw; from `begin` on, of those it draws for this text. Empty: it never drafts. */
  readonly laws: readonly DraftLaw[];
  /** Where they depend on the sampling: those of texts sampled so. Absent: `laws`. */
  lawsAt?(sampling: Sampling): readonly DraftLaw[];
  /** Name of the tree shape that it draws by, where it has one. To tell people. */
  readonly shape?: string;
  /** A new text starts with these tokens. `sampling` is the target's: what is sampled must be drafted alike. */
  begin(prompt: Int32Array, sampling: Sampling): void | Promise<void>;
  /** So many of the likeliest tokens of every verified row `observe` is to be given (`Round.candidates`), 1 … 64. */
  readonly candidates?: number;
  /** Hidden states of every verified row that `observe` is to be given (`Round.states`). */
  readonly taps?: readonly Tap[];
  /**
   * Where it wants what the target found likeliest in the prompt as well, `candidates` of each row, and its states: row i
   * belongs to the prompt's token `from` + i. Called between `begin` and the first draft, for rows that had to be computed;
   * they take longer then, and so does the first token. None are given of what was not asked for.
   */
  observePrompt?(from: number, candidates: readonly Candidates[], states: States): void | Promise<void>;
  /**
   * For drafters that draft with the target itself, by passes that leave out blocks: the sequence of this text, told
   * between `begin` and the first draft. While a draft is drawn it holds the committed tokens but the last, the root; it
   * must be left so.
   */
  attach?(target: Sequence): void;
  /** A draft after everything observed so far. At most `plan.nodes` nodes and `plan.depth` deep, possibly empty. */
  draft(plan: Plan, chance: Chance): DraftTree | Promise<DraftTree>;
  /**
   * What it would draft if `path`, tokens below the root, were committed as well; law `point`. For drafters that join
   * others. Absent where it can draft below the root alone.
   */
  after?(path: Int32Array, plan: Plan, chance: Chance): DraftTree | Promise<DraftTree>;
  /**
   * Called while a target whose passes are concurrent looks at the last draft: what can be computed for the next one,
   * should all of this one be kept. Ends soon after `more` says no. It may only make the next draft come sooner: the
   * laws and the draws of drafts are the same with and without it.
   */
  anticipate?(tree: DraftTree, more: () => Promise<boolean>): Promise<void>;
  /** Also called when another drafter's tokens were accepted: every committed token passes here exactly once. */
  observe(round: Round): void | Promise<void>;
  close?(): void;
}

/**
 * Proposes without knowing about trees. For example by counts that start at 1 (docs/examples/pairs.ts): of 4 tokens, after
 * the text 1 2 1 3 1 2 1, token 2 followed 1 twice and 3 once, so q = (1/7, 1/7, 3/7, 2/7); at temperature 0 it is
 * (0, 0, 1, 0).
 */
export interface Proposer {
  readonly vocab: number;
  /**
   * A new tree is drawn under the last token of `text`, the committed tokens so far. Only new tokens are computed.
   * `sampling` is the target's: q is what the drafter would sample from; at temperature 0, all of it on one token.
   * `text` may be a view of a buffer that grows: copy what is kept.
   */
  sync(text: Int32Array, sampling: Sampling): Promise<void>;
  /** As `Drafter.attach`. */
  attach?(target: Sequence): void;
  /**
   * The tree is drawn, or given up: what was kept in the target's sequence is taken back. Called after every `sync`, by
   * whoever called that.
   */
  release?(): void;
  /**
   * Adds `nodes` to the tree being drawn (tokens and their parents' indices, −1 for the root) and returns q for the
   * children of each of them; the call without nodes returns q for the children of the root.
   */
  propose(nodes: { readonly tokens: Int32Array; readonly parents: Int32Array }): Promise<Distribution[]>;
  /** The hidden state before the head that a q of `propose` was made of; known from the first time on that it is asked for. */
  stateOf?(q: Distribution): Float32Array | undefined;
  /**
   * As `Drafter.anticipate`, after a tree was drawn: `chain` is what may be kept of it. Absent where it cannot compute
   * while the target does.
   */
  anticipate?(chain: Int32Array, more: () => Promise<boolean>): Promise<void>;
  close?(): void;
}
