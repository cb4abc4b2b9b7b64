// Drafting while the target verifies, where that pass leaves the thread free: the drafter goes on as if its whole draft
// were kept. What it computes is only ever used for the prefix that it was computed for, so a wrong guess costs nothing
// but the time, and that is taken from waiting.
// PEARL: Parallel Speculative Decoding with Adaptive Draft Length (Liu et al., 2024, arXiv 2408.11850), of which this is
// the post-verify half; DuoDecoding (Lv et al., 2025, arXiv 2503.00784) for the draft on another device.
import { setImmediate } from "node:timers";
import type { Engine, Scores } from "../backend.ts";
import type { Drafter } from "../drafter.ts";
import type { DraftTree } from "../tree.ts";

/**
 * Waits for `pass`, a pass of `engine` over `rows` rows that has been asked for, and lets the drafter go on meanwhile.
 * The drafter is told to stop when the pass is done, or where its next step would probably outlast the pass.
 */
export async function beside<T extends Scores>(
  pass: Promise<T>,
  draft: DraftTree,
  rows: number,
  { engine, drafter }: { readonly engine: Engine; readonly drafter: Drafter },
): Promise<T> {
  if (engine.can.concurrent === undefined || drafter.anticipate === undefined || draft.tokens.length === 0) {
    return await pass;
  }
  let done = false;
  const end = () => void (done = true);
  pass.then(end, end);
  const expected = engine.cost(rows); // NaN where it is not known: every comparison is false
  const started = performance.now();
  let last = started;
  const more = async () => {
    await new Promise((resolve) => setImmediate(resolve)); // the pass gets to be submitted, and its end noticed
    const now = performance.now();
    const step = now - last;
    last = now;
    return !done && !(now + step - started > expected);
  };
  const [scores, drafted] = await Promise.allSettled([pass, drafter.anticipate(draft, more)]);
  if (scores.status === "rejected") throw scores.reason;
  if (drafted.status === "rejected") throw drafted.reason;
  return scores.value;
}
