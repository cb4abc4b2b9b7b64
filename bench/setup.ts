// What the suites have in common.
import { specBenchItems } from "../cli/bench/data.ts";
import { ROOT } from "../scripts/runtimes.ts";

export const DEFAULT_MODEL: string = `${ROOT}models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf`;
export const THREADS = 2;
/** Tokens in the cache when passes are measured. */
export const PAST = 256;

/** One user message of Spec-Bench. */
export interface Prompt {
  readonly id: number;
  readonly category: string;
  readonly text: string;
}

/** The first `count` prompts of a category, in the file's order. */
export function specBench(category: string, count: number): Prompt[] {
  return specBenchItems().filter((item) => item.category === category).slice(0, count)
    .map((item) => ({ id: item.question_id, category: item.category, text: item.turns[0] }));
}
