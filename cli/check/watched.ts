// hunch check with a stranger's code in it: the check runs in a process of its own and writes down what it is at; this
// one ends it where that does not change for too long. A loop that never ends cannot be left from within.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { HunchError } from "../../src/errors.ts";

/** Names the file that the check writes to. Set in its process only. */
const FILE = "HUNCH_CHECK_AT";
const INTERVAL = 100;
/** Seconds that starting and loading the plugin may take in any case. */
const START = 60;

/** True in the process that is watched. */
export function isWatched(): boolean {
  return process.env[FILE] !== undefined;
}

let steps = 0;

/** Tells whoever watches what is being done now. */
export function working(at: string): void {
  const file = process.env[FILE];
  if (file !== undefined) writeFileSync(file, `${++steps} ${at}`);
}

/**
 * Runs this very command in a process of its own and returns its exit code. Throws HunchError("input") where one step of
 * it takes longer than `seconds`.
 */
export async function watched(seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "hunch-check-"));
  const file = join(folder, "at");
  writeFileSync(file, "0 loading the plugin");
  const [program, ...args] = self();
  const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, [FILE]: file } });
  const stop = (signal: NodeJS.Signals) => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, stop);
  let at = "";
  let most = Math.max(START, seconds);
  let since = performance.now();
  let late = false;
  const timer = setInterval(() => {
    const now = readFileSync(file, "utf8");
    if (now !== at) {
      if (at !== "") most = seconds;
      at = now;
      since = performance.now();
    } else if (performance.now() - since > most * 1000) {
      late = true;
      child.kill("SIGKILL");
    }
  }, INTERVAL);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
    if (!late) return code;
    const step = at.replace(/^\d+ /, "");
    throw new HunchError("input", `the plugin did not end within ${most} s: ${step}`, {
      hint: "if it only is slow, give it longer with --timeout",
    });
  } finally {
    clearInterval(timer);
    for (const signal of signals) process.off(signal, stop);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command line that this process was started with. */
function self(): string[] {
  const [, main, ...args] = process.argv;
  if ("Deno" in globalThis) return [process.execPath, "run", "-A", "--no-prompt", main, ...args];
  const inside = /^(?:\/\$bunfs|[A-Z]:[\\/]~BUN)/.test(main); // the standalone binary starts itself
  return inside ? [process.execPath, ...args] : [process.execPath, ...process.execArgv, main, ...args];
}
