// A verification rule decides how much of a draft stands.
import type { Scores, Tap } from "./backend.ts";
import type { Chance } from "./chance.ts";
import type { DeviceRule } from "./device-rule.ts";
import type { Sampling } from "./sampling.ts";
import type { DraftLaw, DraftTree } from "./tree.ts";
import type { Verdict } from "./verdict.ts";

/**
 * For example, a rule that lets the target draw and accepts the draft that holds the token (docs/examples/redraw.ts). The
 * draft is the chain 0 1, with p = (0.5, 0.3, 0.2) after the root and (0.1, 0.1, 0.8) after 0. The uniform numbers 0.4 and
 * 0.9 draw 0, which is drafted, and 2, which is not: path [0], next 2.
 */
export interface VerificationRule {
  readonly name: string;
  /** False: "relaxed" wherever the rule appears. */
  readonly lossless: boolean;
  /** True: follows the arg-max only, so it is lossless for temperature 0 and for nothing else. */
  readonly greedy?: true;
  /** Most drafts of one place that the rule can judge; any number where absent. */
  readonly maxSiblings?: number;
  /**
   * True: what is said depends on the target's scores and one draw of the chance per token, never on the draft. Then a
   * seed gives the same text with any drafter or none.
   */
  readonly independent?: true;
  /** What a backend may run instead of `verify`, with the same verdicts. */
  readonly device?: DeviceRule;
  /** The laws the rule supports; an impossible pair is refused when the command starts. */
  readonly laws: readonly DraftLaw[];
  /** Hidden states that `scores` must hold (`Scores.states`). */
  readonly taps?: readonly Tap[];
  /**
   * Called before the target's pass with the draft that will be judged and the committed tokens, root included: for
   * rules that look at the draft in another way as well. `text` may be a view of a buffer that grows; `sampling` makes
   * the Scores that will be judged by.
   */
  prepare?(tree: DraftTree, text: Int32Array, sampling: Sampling): Promise<void>;
  /**
   * Row 0 of `scores` belongs to the root, row i + 1 to node i of the tree. Their `distribution` is already the
   * target's sampling distribution (temperature, truncation and penalties applied).
   */
  verify(tree: DraftTree, scores: Scores, chance: Chance): Verdict;
  /**
   * What a relaxed rule does at temperature 0, where `verify` would see all probability on one token and keep nothing
   * else. Here `distribution` is the raw soft-max: temperature 1, penalties applied, nothing left out. A relaxed rule
   * without this form is refused at temperature 0.
   */
  verifyGreedily?(tree: DraftTree, scores: Scores): Verdict;
}
