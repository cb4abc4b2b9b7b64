// hunch as its users run it, for suites that measure with the command itself: `hunch bench` writes down every answer as
// it comes, so that a suite that is stopped goes on where it was.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { readResults, type Results } from "../cli/bench/results.ts";
import { command, CURRENT, ROOT } from "../scripts/runtimes.ts";
import { EXIT } from "../src/errors.ts";

/** What suites leave behind: results, and the state of the hunch that they run, so that nobody's profile or stores count. */
export const OUT = `${ROOT}bench/out/`;
const STATE = `${OUT}state`;

/** What `hunch bench` measured into `bench/out/FOLDER`, now and before. After a Ctrl-C: what there was time for. */
export async function hunchBench(folder: string, args: readonly string[]): Promise<Results> {
  await runHunch(["bench", "--resume", "--out", `${OUT}${folder}`, ...args], [EXIT.ok, EXIT.interrupted]);
  return await readResults(`${OUT}${folder}/results.json`);
}

/** A store for suites, made of `file` where it is not there yet. `model`: the option that names its vocabulary. */
export async function buildStore(name: string, file: string, model: readonly string[]): Promise<void> {
  if (!existsSync(`${STATE}/hunch/stores/${name}`)) await runHunch(["store", "build", name, file, ...model]);
}

/** Runs a command of hunch; what it says on stdout is not shown. Throws where it ends with another code than `expected`. */
export async function runHunch(args: readonly string[], expected: readonly number[] = [EXIT.ok]): Promise<void> {
  const flags = CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : [];
  const [program, ...line] = [...command(CURRENT), ...flags, `${ROOT}cli/main.ts`, ...args];
  const wait = () => {}; // a Ctrl-C goes to both: hunch writes what it has
  process.on("SIGINT", wait);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(program, line, {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, XDG_STATE_HOME: STATE },
      });
      child.on("error", reject);
      child.on("close", resolve);
    });
    if (code === null || !expected.includes(code)) throw new Error(`hunch ${args[0]} ended with ${code}`);
  } finally {
    process.off("SIGINT", wait);
  }
}
