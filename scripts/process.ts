// Runs a child process to its end and keeps what it printed.
import { spawn } from "node:child_process";
import { ROOT } from "./runtimes.ts";

export interface Finished {
  /** Exit code; −1 where a signal ended the process or it could not be started. */
  readonly code: number;
  /** stdout and stderr, in the order in which they arrived. */
  readonly output: string;
}

/** `limitMs`: after so long the process is killed, and the output says so. Runs in the repository's root. */
export function run(
  command: readonly string[],
  env: Record<string, string> = {},
  limitMs = 1_200_000,
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const parts: Uint8Array[] = [];
    let note = "";
    const timer = setTimeout(() => {
      note = `\nkilled after ${limitMs / 1000} s\n`;
      child.kill("SIGKILL");
    }, limitMs);
    const finish = (code: number) => {
      clearTimeout(timer);
      resolve({ code, output: Buffer.concat(parts).toString() + note });
    };
    child.stdout.on("data", (part: Uint8Array) => parts.push(part));
    child.stderr.on("data", (part: Uint8Array) => parts.push(part));
    child.on("error", (error) => {
      note += `${error.message}\n`;
      finish(-1);
    });
    child.on("close", (code, signal) => {
      if (signal) note += `ended by ${signal}\n`;
      finish(code ?? -1);
    });
  });
}
