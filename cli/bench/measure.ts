// One prompt, answered by every setting in turn.
import type { CostPoint } from "../../kernels/cost.ts";
import type { Engine } from "../../src/backend.ts";
import type { Task } from "./data.ts";
import type { Group } from "./log.ts";
import { key } from "./results.ts";
import type { Setting } from "./settings.ts";
import type { Answer, Stand } from "./stand.ts";

/** Rows whose cost is written down with the results. */
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/** Milliseconds of passes by their rows, as far as the engine goes; it must be calibrated. */
export function curveOf(engine: Engine): CostPoint[] {
  return WIDTHS.filter((width) => width <= engine.maxRows).map((width) => ({ width, ms: engine.cost(width) }));
}

/**
 * `first`: who begins; the others follow in their order, so that nobody always comes after the same neighbour. The first
 * of `settings` is plain decoding. Undefined where `signal` stopped it.
 */
export async function measureGroup(
  stand: Stand,
  settings: readonly Setting[],
  task: Task,
  { turn, first, signal }: { readonly turn: number; readonly first: number; readonly signal?: AbortSignal },
): Promise<Group | undefined> {
  const { tokens, cut, ms, ...prompt } = await stand.prompt(task);
  const answers: Answer[] = [];
  for (let i = 0; i < settings.length; i++) {
    await new Promise((resolve) => setTimeout(resolve)); // Ctrl-C is noticed between passes of the loop
    if (signal?.aborted) return undefined;
    const at = (first + i) % settings.length;
    answers[at] = await stand.answer(settings[at], { ...prompt, tokens, cut, ms });
  }
  const plain = answers[0].text.join();
  return {
    facts: { id: task.id, kind: task.kind, tokens: tokens.length, cut, ms },
    turn,
    runs: answers.map(({ run, text, comparable }, at) => ({
      setting: settings[at].name,
      prompt: key(task),
      turn,
      ...run,
      ...comparable ? { same: text.join() === plain } : {},
    })),
  };
}
