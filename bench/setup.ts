// What the suites have in common.
import { readFileSync } from "node:fs";
import { ROOT } from "../scripts/runtimes.ts";

export const DEFAULT_MODEL: string = `${ROOT}models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf`;
export const THREADS = 2;
/** Tokens in the cache when passes are measured. */
export const PAST = 256;

/** One user message of cli/bench/data/spec-bench.jsonl. */
export interface Prompt {
  readonly id: number;
  readonly category: string;
  readonly text: string;
}

/** The first `count` prompts of a category, in the file's order. */
export function specBench(category: string, count: number): Prompt[] {
  return readFileSync(`${ROOT}cli/bench/data/spec-bench.jsonl`, "utf8").split("\n").filter(Boolean)
    .map((line) => JSON.parse(line) as { question_id: number; category: string; turns: string[] })
    .filter((item) => item.category === category).slice(0, count)
    .map((item) => ({ id: item.question_id, category: item.category, text: item.turns[0] }));
}
