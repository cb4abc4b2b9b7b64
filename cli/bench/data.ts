// Prompts to measure with: the data sets that hunch carries, a file of requests, or a text. Each prompt has a kind of
// work, because what drafting brings depends on it.
import { existsSync } from "node:fs";
import { HunchError } from "../../src/errors.ts";
import { closest } from "../../src/suggestion.ts";
import { idOf, parseFields, wrong } from "../input/fields.ts";
import { readTextFile } from "../input/text.ts";
import { visible } from "../output/visible.ts";
import bfcl from "./data/bfcl.jsonl" with { type: "text" };
import humaneval from "./data/humaneval.jsonl" with { type: "text" };
import specBench from "./data/spec-bench.jsonl" with { type: "text" };

/** One user message. */
export interface Task {
  /** As the data set numbers it; unique among the tasks of a kind. */
  readonly id: string;
  readonly kind: string;
  readonly text: string;
}

/** Kinds of Spec-Bench; the eight of MT-Bench are one. */
const SPEC_BENCH: Readonly<Record<string, string>> = {
  translation: "translation",
  summarization: "summarisation",
  qa: "question answering",
};

const SETS: Readonly<Record<string, () => Task[]>> = {
  "spec-bench": () =>
    specBenchItems().map((item) => ({
      id: String(item.question_id),
      kind: SPEC_BENCH[item.category] ?? "MT-Bench",
      text: item.turns[0],
    })),
  humaneval: () =>
    functions().map(({ task_id, prompt }) => ({
      id: task_id,
      kind: "HumanEval",
      text: `Complete this Python function.\n\n\`\`\`python\n${prompt}\`\`\``,
    })),
  // One function further than those of humaneval: where few of each are taken, the two kinds share none.
  edits: () =>
    rotated(functions()).map(({ task_id, prompt, canonical_solution, entry_point }) => ({
      id: task_id,
      kind: "code edits",
      text:
        `Rename the function ${entry_point} to compute_result and give the whole code back, otherwise unchanged.\n\n` +
        `\`\`\`python\n${prompt}${canonical_solution}\`\`\``,
    })),
  bfcl: () =>
    lines<{ id: string; question: string; functions: unknown[] }>(bfcl).map(({ id, question, functions }) => ({
      id,
      kind: "BFCL calls",
      text: `You can call these functions:\n\n${JSON.stringify(functions, null, 1)}\n\n${question}\n\n` +
        `Answer with one call only, as JSON: {"name": …, "arguments": {…}}`,
    })),
};

export const DATA_SETS: readonly string[] = Object.keys(SETS);

/**
 * Up to `count` tasks of each kind, spread over the set, because neighbours are alike; kinds take turns, so that a run
 * that is stopped has some of each. `names`: data sets, files with a request a line (`*.jsonl`), or files that are one
 * prompt. Throws HunchError where one is none of these or holds nothing.
 */
export async function tasksOf(names: readonly string[], count: number): Promise<Task[]> {
  const kinds = new Map<string, Task[]>();
  for (const name of names) {
    for (const task of Object.hasOwn(SETS, name) ? SETS[name]() : await fileTasks(name)) {
      const kind = kinds.get(task.kind) ?? [];
      kinds.set(task.kind, kind);
      if (kind.some(({ id }) => id === task.id)) {
        throw new HunchError("input", `two prompts of the kind ${JSON.stringify(task.kind)} are called ${task.id}`, {
          file: name,
          hint: "name each data set once, and give every line an id of its own",
        });
      }
      kind.push(task);
    }
  }
  const chosen = [...kinds.values()].map((all) => spreadOver(all, count));
  return Array.from({ length: count }, (_, i) => chosen.flatMap((tasks) => tasks[i] ?? [])).flat();
}

/** `count` of them, or all, at equal distances. */
function spreadOver<T>(all: readonly T[], count: number): T[] {
  const taken = Math.min(count, all.length);
  return Array.from({ length: taken }, (_, i) => all[Math.floor(i * all.length / taken)]);
}

async function fileTasks(path: string): Promise<Task[]> {
  if (!/[./\\]/.test(path) && !existsSync(path)) {
    const near = closest(path, DATA_SETS);
    throw new HunchError("usage", `there is no data set ${JSON.stringify(path)}`, {
      hint: near ? `did you mean ${near}?` : `there are ${DATA_SETS.join(", ")}; or name a file`,
    });
  }
  const text = await readTextFile(path);
  const name = path.replace(/^.*[/\\]/, "");
  const tasks = /\.jsonl$/i.test(path)
    ? text.split(/\r?\n/).flatMap((line, i) => line.trim() === "" ? [] : [taskOf(line, name, i + 1, path)])
    : [{ id: visible(name), kind: visible(name), text }];
  if (tasks.length === 0 || tasks[0].text.trim() === "") {
    throw new HunchError("input", "this file is empty", { file: path, hint: "name one with prompts in it" });
  }
  return tasks;
}

/** A request as `--jsonl` takes it: a text, or an object with `prompt`; `kind` or `category` says what work it is. */
function taskOf(line: string, name: string, number: number, file: string): Task {
  try {
    const fields = parseFields(line, "prompt", 'write "…" or {"prompt": "…"}');
    const { prompt, kind, category } = fields.values;
    if (typeof prompt !== "string" || prompt.trim() === "") throw new HunchError("input", "there is no prompt");
    const work = kind ?? category ?? name;
    if (typeof work !== "string" || work.trim() === "") {
      throw wrong(kind === work ? "kind" : "category", "a text");
    }
    const id = idOf(fields) ?? number;
    return {
      id: visible(typeof id === "object" ? id.rawJSON : String(id)),
      kind: visible(work).replaceAll("/", " "),
      text: prompt,
    };
  } catch (error) {
    if (!(error instanceof HunchError)) throw error;
    throw new HunchError("input", `line ${number}: ${error.message}`, {
      ...error.place,
      file,
      hint: error.hint || 'write {"prompt": "…"} on each',
    });
  }
}

/** A line of Spec-Bench. */
export interface SpecBenchItem {
  readonly question_id: number;
  readonly category: string;
  readonly turns: readonly string[];
}

export function specBenchItems(): SpecBenchItem[] {
  return lines(specBench);
}

interface HumanEval {
  readonly task_id: string;
  readonly prompt: string;
  readonly entry_point: string;
  readonly canonical_solution: string;
}

function rotated<T>([first, ...others]: readonly T[]): T[] {
  return [...others, first];
}

function functions(): HumanEval[] {
  return lines<HumanEval>(humaneval);
}

function lines<T>(text: string): T[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}
