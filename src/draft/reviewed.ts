// A chain that a proposer drafts with the help of somebody cheaper: guesses of the next tokens are put to it in one pass,
// and those that are its own likeliest stand. Speculative decoding of the draft itself.
import type { Proposer } from "../drafter.ts";
import { argmax } from "../math/distribution.ts";

const NONE = { tokens: new Int32Array(0), parents: new Int32Array(0) };

/**
 * What the proposer finds likeliest, token by token, at most `most`; the same with any guesses. It must be synced.
 * `guess`: what may follow a path of at least one token.
 */
export async function reviewedChain(
  proposer: Proposer,
  most: number,
  guess: (path: readonly number[]) => ArrayLike<number> | Promise<ArrayLike<number>>,
): Promise<number[]> {
  const path: number[] = [];
  if (most < 1) return path;
  const [root] = await proposer.propose(NONE);
  if (root === undefined) return path;
  let [likeliest, parent, told] = [argmax(root), -1, 0];
  while (path.push(likeliest) < most) {
    const guesses = Array.from(await guess(path)).slice(0, most - path.length);
    const parents = [parent, ...guesses.map((_, i) => told + i)];
    const answers = await proposer.propose({
      tokens: Int32Array.of(likeliest, ...guesses),
      parents: Int32Array.from(parents),
    });
    if (answers.length === 0) return path; // its context is full
    let right = 0;
    likeliest = argmax(answers[0]);
    while (right < guesses.length && guesses[right] === likeliest) {
      path.push(likeliest);
      likeliest = argmax(answers[++right]);
    }
    if (path.length === most) return path;
    parent = told + right;
    told += parents.length;
  }
  return path;
}
