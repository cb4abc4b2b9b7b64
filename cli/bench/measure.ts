// One prompt, answered by every setting in turn.
import type { CostPoint } from "../../kernels/cost.ts";
import type { Engine } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import { WEIGHT_FORMATS } from "../../src/weight-format.ts";
import type { Task } from "./data.ts";
import type { Group } from "./log.ts";
import { type Fastest, key } from "./results.ts";
import type { Setting } from "./settings.ts";
import type { Answer, Stand } from "./stand.ts";

/** 0, 1, … in an order drawn from a seed. */
function shuffled(count: number, seed: string): number[] {
  const drawn = new SeededChance(seed).peek(count);
  return [...drawn.keys()].sort((a, b) => drawn[a] - drawn[b]);
}

/** Rows whose cost is written down with the results. */
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];

/** Milliseconds of passes by their rows, as far as the engine goes; it must be calibrated. */
export function curveOf(engine: Engine): CostPoint[] {
  return WIDTHS.filter((width) => width <= engine.maxRows).map((width) => ({ width, ms: engine.cost(width) }));
}

/** The format of the fastest plain pass, of those measured here; undefined where that is this one alone. */
export function fastestOf(engine: Pick<Engine, "format" | "cost" | "plainCost">): Fastest | undefined {
  const own = engine.cost(1);
  const known = WEIGHT_FORMATS.map((format) => ({
    format,
    ms: format === engine.format ? own : engine.plainCost?.(format) ?? NaN,
  })).filter(({ ms }) => ms > 0);
  if (known.length < 2 || !known.some(({ format }) => format === engine.format)) return undefined;
  const { format, ms } = known.reduce((best, other) => other.ms < best.ms ? other : best);
  return { format, share: ms / own };
}

/**
 * The settings answer in an order of their own for each prompt and turn, drawn from `seed`, so that nobody always comes
 * after the same neighbour. The first of `settings` is plain decoding. Undefined where `signal` stopped it.
 */
export async function measureGroup(
  stand: Stand,
  settings: readonly Setting[],
  task: Task,
  { turn, seed, signal }: { readonly turn: number; readonly seed: string; readonly signal?: AbortSignal },
): Promise<Group | undefined> {
  const { tokens, cut, ms, ...prompt } = await stand.prompt(task);
  const answers: Answer[] = [];
  for (const at of shuffled(settings.length, `order ${seed} ${turn} ${key(task)}`)) {
    await new Promise((resolve) => setTimeout(resolve)); // Ctrl-C is noticed between passes of the loop
    if (signal?.aborted) return undefined;
    answers[at] = await stand.answer(settings[at], { ...prompt, tokens, cut, ms });
  }
  const [plain] = answers;
  // What a relaxed rule says is as likely as it is beside what the target itself says.
  const beside = answers.some(({ run }) => run.logProbability !== undefined)
    ? await stand.judged({ ...prompt, tokens, cut, ms }, plain.text)
    : {};
  return {
    facts: { id: task.id, kind: task.kind, tokens: tokens.length, cut, ms },
    turn,
    runs: answers.map(({ run, text, comparable }, at) => ({
      setting: settings[at].name,
      prompt: key(task),
      turn,
      ...run,
      ...at === 0 ? beside : {},
      ...comparable ? { same: text.join() === plain.text.join() } : {},
    })),
  };
}
