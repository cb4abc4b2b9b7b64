// Successive halving: everybody is measured a little, the better half a little more, and so on, so that most of the time
// goes to those that may win.
// Non-stochastic Best Arm Identification and Hyperparameter Optimization (Jamieson and Talwalkar, 2015, arXiv 1502.07943).

export interface Halving<C> {
  /** Measures them beside each other until `deadline`, by `clock`; each at least once. Those that cannot run are left out of what it returns. */
  measure(candidates: readonly C[], deadline: number, round: number): Promise<readonly C[]>;
  /** By all that was measured so far; the greatest wins. */
  score(candidate: C): number;
  /** Milliseconds. */
  clock(): number;
  /** Told before every round. */
  round?(survivors: readonly C[], round: number, rounds: number): void;
}

/** All that could be measured, the winner first; who was measured longer stands before who was measured less. */
export async function halve<C>(all: readonly C[], budgetMs: number, halving: Halving<C>): Promise<C[]> {
  const rounds = Math.max(1, Math.ceil(Math.log2(all.length)));
  const start = halving.clock();
  let survivors: readonly C[] = all;
  let losers: C[] = [];
  for (let round = 0; round < rounds && survivors.length > 0; round++) {
    if (round > 0 && halving.clock() >= start + budgetMs) break; // the first round took it all
    halving.round?.(survivors, round, rounds);
    const measured = await halving.measure(survivors, start + budgetMs * (round + 1) / rounds, round);
    const ranked = measured.toSorted((a, b) => halving.score(b) - halving.score(a));
    const kept = Math.max(1, Math.ceil(survivors.length / 2));
    losers = [...ranked.slice(kept), ...losers];
    survivors = ranked.slice(0, kept);
  }
  const ranked = survivors.toSorted((a, b) => halving.score(b) - halving.score(a));
  return [...ranked, ...losers];
}
