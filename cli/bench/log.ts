// Every measurement goes to disk as it is made, a line of JSON each, so that a benchmark that is killed goes on where it
// was. What is compared was measured side by side, so a group of runs counts when it is whole: one prompt in one turn.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { HunchError } from "../../src/errors.ts";
import { WriteError } from "../../src/output-file.ts";
import {
  isFacts,
  isList,
  isNumber,
  isObject,
  isRun,
  isText,
  key,
  type Measured,
  type Memory,
  type Plan,
  type PromptFacts,
} from "./results.ts";

/** What a person can do where nothing can be written. */
export const OTHER_FOLDER = "name another folder with --out";

/** All runs of one prompt in one turn. */
export interface Group {
  readonly facts: PromptFacts;
  readonly turn: number;
  readonly runs: readonly Measured[];
}

interface Head {
  readonly plan: Plan;
  readonly started: string;
}

export class Log {
  private constructor(
    readonly path: string,
    readonly started: string,
    /** What was measured before. */
    readonly groups: readonly Group[],
    /** What drafters held at the end of each run before. */
    readonly memories: readonly Memory[],
  ) {}

  /**
   * Begins a log, or with `resume` goes on with one that is there. Throws HunchError("usage") where there is one and
   * `resume` is not said, and where what is there was measured otherwise.
   */
  static open(path: string, plan: Plan, resume: boolean): Log {
    if (existsSync(path)) {
      if (!resume) {
        throw new HunchError("usage", "there are measurements already", {
          file: path,
          hint: "go on with them by --resume, or name another folder with --out",
        });
      }
      const [head, ...lines] = read(path);
      if (head !== undefined) {
        if (!isHead(head)) {
          throw new HunchError("input", "this is no log of hunch bench", {
            file: path,
            hint: OTHER_FOLDER,
          });
        }
        refuseOther(path, head.plan, plan);
        return new Log(path, head.started, lines.filter(isGroup), lines.filter(isMemory));
      }
    }
    attempt(path, () => mkdirSync(dirname(path), { recursive: true }));
    const head: Head = { plan, started: new Date().toISOString() };
    append(path, `${JSON.stringify(head)}\n`);
    return new Log(path, head.started, [], []);
  }

  has(prompt: string, turn: number): boolean {
    return this.groups.some((group) => key(group.facts) === prompt && group.turn === turn);
  }

  add(measured: Group | Memory): void {
    append(this.path, `${JSON.stringify(measured)}\n`);
  }
}

/**
 * The lines that are whole. What was killed while it wrote has left a piece of a line, which may end within a character;
 * what follows it begins a new line.
 */
function read(path: string): unknown[] {
  const text = readFileSync(path, "utf8"); // bytes that are no text become marks, in a line that is then no JSON
  if (text !== "" && !text.endsWith("\n")) append(path, "\n");
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as unknown];
    } catch {
      return [];
    }
  });
}

function isHead(line: unknown): line is Head {
  return isObject(line) && isObject(line.plan) && isText(line.started);
}

/** What is not whole, because somebody has edited it, is measured again. */
function isGroup(line: unknown): line is Group {
  return isObject(line) && isFacts(line.facts) && isNumber(line.turn) && isList(line.runs, isRun);
}

function isMemory(line: unknown): line is Memory {
  return isObject(line) && isNumber(line.prompts) && isObject(line.bytes);
}

/** On the disk when it returns, so that a machine that loses its power loses nothing either. */
function append(path: string, text: string): void {
  attempt(path, () => {
    const file = openSync(path, "a");
    try {
      writeFileSync(file, text); // all of it, or an error: a full disk takes a part
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new WriteError((error as NodeJS.ErrnoException).code ?? String(error), path, OTHER_FOLDER);
  }
}

function refuseOther(path: string, before: Plan, now: Plan): void {
  for (const name of Object.keys(now) as (keyof Plan)[]) {
    if (JSON.stringify(before[name]) === JSON.stringify(now[name])) continue;
    const shown = (plan: Plan) => String(JSON.stringify(plan[name])).slice(0, 80);
    throw new HunchError("usage", `what is measured there has other ${name}: ${shown(before)}, not ${shown(now)}`, {
      file: path,
      hint: "give the options of the first run, or name another folder with --out",
    });
  }
}
