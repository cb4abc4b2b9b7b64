// What the suites have in common.
import { specBenchItems } from "../cli/bench/data.ts";
import { onnxBackend } from "../kernels/onnx/backend.ts";
import { ROOT } from "../scripts/runtimes.ts";
import type { Engine } from "../src/backend.ts";
import { openModel } from "../src/model/open.ts";

export const DEFAULT_MODEL: string = `${ROOT}models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf`;
export const THREADS = 2;
/** Tokens in the cache when passes are measured. */
export const PAST = 256;

/** Models that tell stories: the target stories260K.bin, and those that draft for it. */
export const STORIES = `${ROOT}test/fixtures/stories260k/`;

/** One of the models of STORIES, on ONNX Runtime. */
export async function loadStories(file: string, cacheDir: string): Promise<Engine> {
  const options = { format: "float32", strict: true, threads: 1, cacheDir } as const;
  return await onnxBackend.load(await openModel(STORIES + file), options);
}

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
