// User messages by kind of work, from bench/data.
import { readFileSync } from "node:fs";
import { ROOT } from "../scripts/runtimes.ts";
import { specBench } from "./setup.ts";

/** So many of each kind; those of MT-Bench, HumanEval and the calls are spread over their files. */
export function workloads(count: number): Record<string, string[]> {
  const of = (category: string) => specBench(category, count).map(({ text }) => text);
  const turns = ["writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities"];
  const code = lines("humaneval.jsonl") as { prompt: string; canonical_solution: string; entry_point: string }[];
  const calls = lines("bfcl.jsonl") as { question: string; functions: unknown[] }[];
  // Spread over the file: neighbours are alike.
  const some = <T>(all: readonly T[]) =>
    Array.from({ length: count }, (_, i) => all[Math.floor(i * all.length / count)]);
  const mtBench = turns.flatMap((category) => specBench(category, 10).map(({ text }, i) => ({ i, text })));
  return {
    translation: of("translation"),
    summarisation: of("summarization"),
    "question answering": of("qa"),
    "MT-Bench": some(mtBench).map(({ text }) => text),
    HumanEval: some(code).map(({ prompt }) => `Complete this Python function.\n\n\`\`\`python\n${prompt}\`\`\``),
    "code edits": some(code).map(({ prompt, canonical_solution, entry_point }) =>
      `Rename the function ${entry_point} to compute_result and give the whole code back, otherwise unchanged.\n\n` +
      `\`\`\`python\n${prompt}${canonical_solution}\`\`\``
    ),
    "BFCL calls": some(calls).map(({ question, functions }) =>
      `You can call these functions:\n\n${JSON.stringify(functions, null, 1)}\n\n${question}\n\n` +
      `Answer with one call only, as JSON: {"name": …, "arguments": {…}}`
    ),
  };
}

function lines(file: string): unknown[] {
  return readFileSync(`${ROOT}cli/bench/data/${file}`, "utf8").split("\n").filter(Boolean).map((line) =>
    JSON.parse(line)
  );
}
