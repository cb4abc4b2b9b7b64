// The places that a walk down a draft may come by, packed for the kernels that walk (owed.wgsl).
import type { Verified } from "../../../src/device-rule.ts";
import { childrenOf, holding, pathTo } from "../../../src/draft/walk.ts";
import type { Distribution } from "../../../src/math/distribution.ts";
import type { DraftTree } from "../../../src/tree.ts";

/** One token that is accepted or refused. */
export interface Trial {
  readonly token: number;
  /** As the drafter gave it. */
  readonly q: Distribution;
  /** How many of the place's first drafts count as 0 in q. */
  readonly removed: number;
  /** Of the token. */
  readonly likelihood: number;
  /** What all of q is multiplied by. */
  readonly factor: number;
}

/** A place of the walk, as owed.wgsl has it. */
interface Place {
  readonly node: number;
  readonly drafts: readonly number[];
  /** By draft, the place below. */
  readonly below: readonly number[];
  readonly trials: readonly Trial[];
}

const PLACE_WORDS = 5;
const TRIAL_WORDS = 7;

/** Words of the verdict of rules that walk, as owed.wgsl has it. */
const VERDICT_WORDS = 4;
export const VERDICT_BYTES = 4 * VERDICT_WORDS;

/** What a place's drafts are put to; undefined where the device cannot do it. */
export type TrialsAt = (drafts: readonly number[], drawn: Distribution | undefined) => readonly Trial[] | undefined;

/** The verdict of a walk. */
export function readWalk(
  [settled, place, next, used]: Uint32Array,
  tree: DraftTree,
  places: readonly Place[],
): Verified | undefined {
  return settled === 1 ? { verdict: { path: pathTo(tree, places[place].node), next }, used } : undefined;
}

/** Where a walk may come by, the root first. Undefined where a rule, law or distribution is not for the device. */
export function placesOf(tree: DraftTree, trialsAt: TrialsAt): Place[] | undefined {
  const open: number[][] = [[-1]];
  const places: Place[] = [];
  for (const here of open) { // grows meanwhile
    const children = childrenOf(tree, here);
    const drafts = children.map((node) => tree.tokens[node]);
    const known = new Map<number, number>();
    const below = drafts.map((token) => {
      let place = known.get(token);
      if (place === undefined) {
        place = open.push(holding(tree, children, token)) - 1;
        known.set(token, place);
      }
      return place;
    });
    const drawn = children.length === 0 ? undefined : tree.q(tree.parents[children[0]]);
    const trials = trialsAt(drafts, drawn);
    // So little may be left of q that its inverse is no number.
    if (trials === undefined || trials.some(({ factor }) => factor === Infinity)) return undefined;
    places.push({ node: here[0], drafts, below, trials });
  }
  return places;
}

/** Places, links, trials and lists of tokens in `words`; in `numbers` all but dense distributions, which follow it. */
export function pack(places: readonly Place[], uniforms: Float64Array) {
  const words: number[] = [];
  const numbers: number[] = [...uniforms];
  const long: Float64Array[] = [];
  /** Where dense distributions begin, counted from the first of them. */
  const starts = new Map<Float64Array, number>();
  let longLength = 0;
  const put = (at: number, values: ArrayLike<number>, into = words) => {
    for (let i = 0; i < values.length; i++) into[at + i] = values[i];
    return at;
  };
  /** Words that say where a dense distribution is. */
  const late: number[] = [];
  put(0, new Uint32Array(PLACE_WORDS * places.length));
  places.forEach(({ node, drafts, below, trials }, place) => {
    const links = put(words.length, drafts.flatMap((token, i) => [token, below[i]]));
    const first = put(words.length, new Uint32Array(TRIAL_WORDS * trials.length));
    put(PLACE_WORDS * place, [node + 1, first, trials.length, links, drafts.length]);
    trials.forEach(({ token, q: { tokens, probabilities }, removed, likelihood, factor }, i) => {
      const at = first + TRIAL_WORDS * i;
      const judged = put(numbers.length, [likelihood, factor], numbers);
      let list = 0;
      let values: number;
      if (tokens) {
        list = put(words.length, tokens);
        values = put(numbers.length, probabilities, numbers);
      } else {
        values = starts.get(probabilities) ?? longLength;
        if (values === longLength) {
          starts.set(probabilities, values);
          long.push(probabilities);
          longLength += probabilities.length;
        }
        late.push(at + 2);
      }
      put(at, [token, list, values, probabilities.length, links, removed, judged]);
    });
  });
  for (const word of late) words[word] += numbers.length;
  return { words: Uint32Array.from(words), numbers: Float64Array.from(numbers), long };
}
