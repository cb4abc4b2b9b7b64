// hunch as its users run it, for suites that measure with the command itself: `hunch bench` writes down every answer as
// it comes, so that a suite that is stopped goes on where it was.
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import process from "node:process";
import { text } from "node:stream/consumers";
import { readResults, type Results } from "../cli/bench/results.ts";
import { command, CURRENT, ROOT } from "../scripts/runtimes.ts";
import { EXIT } from "../src/errors.ts";
import { writeOutput } from "../src/output-file.ts";

/** What suites leave behind: results, and the state of the hunch that they run, so that nobody's profile or stores count. */
export const OUT = `${ROOT}bench/out/`;
const STATE = `${OUT}state`;

/** What `hunch bench` measured into `bench/out/FOLDER`, now and before. After a Ctrl-C: what there was time for. */
export async function hunchBench(folder: string, args: readonly string[]): Promise<Results> {
  const expected = [EXIT.ok, EXIT.interrupted];
  await runHunch(["bench", "--resume", "--out", `${OUT}${folder}`, ...args], { expected });
  return await readResults(`${OUT}${folder}/results.json`);
}

/** A store for suites, made of a file of texts where there is none. `model`: the option that names its vocabulary. */
export async function buildStore(name: string, file: string, model: readonly string[]): Promise<void> {
  if (!existsSync(`${STATE}/hunch/stores/${name}`)) await runHunch(["store", "build", name, file, ...model]);
}

/** A store for suites of the answers to these requests, made where there is none. Plain decoding, greedy. */
export async function storeAnswers(name: string, requests: readonly object[], tokens: number): Promise<void> {
  const made = `${OUT}${name}-answers.jsonl`; // written last: where it is, the store is whole
  if (existsSync(made) && existsSync(`${STATE}/hunch/stores/${name}`)) return;
  rmSync(`${STATE}/hunch/stores/${name}`, { recursive: true, force: true });
  const input = requests.map((request) => JSON.stringify(request) + "\n").join("");
  const answers = await runHunch(["--jsonl", "-d", "none", "-n", String(tokens), "--store", name], { input });
  writeOutput(made, answers, { folders: true });
}

/** A file in bench/out of so many requests, a line each. */
export function writeRequests(name: string, requests: readonly object[]): string {
  const path = `${OUT}${name}.jsonl`;
  writeOutput(path, requests.map((request) => JSON.stringify(request) + "\n").join(""), { folders: true });
  return path;
}

/** Runs a command of hunch. Returns what it says on stdout; throws where it ends with another code than `expected`. */
export async function runHunch(
  args: readonly string[],
  { input = "", expected = [EXIT.ok] }: { readonly input?: string; readonly expected?: readonly number[] } = {},
): Promise<string> {
  const flags = CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : [];
  const [program, ...line] = [...command(CURRENT), ...flags, `${ROOT}cli/main.ts`, ...args];
  const wait = () => {}; // a Ctrl-C goes to both: hunch writes what it has
  process.on("SIGINT", wait);
  try {
    const child = spawn(program, line, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, XDG_STATE_HOME: STATE },
    });
    child.stdin.on("error", () => {}); // it has ended: its code says so
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    const [said, code] = await Promise.all([text(child.stdout), ended]);
    if (code === null || !expected.includes(code)) throw new Error(`hunch ${args[0]} ended with ${code}`);
    return said;
  } finally {
    process.off("SIGINT", wait);
  }
}
