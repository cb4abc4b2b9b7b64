// The command line as a user runs it, for suites that measure what it prints.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, CURRENT, ROOT } from "../scripts/runtimes.ts";

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs commands with a state folder of their own: what the user has tuned or stored is neither seen nor touched. */
export class Terminal {
  readonly #state = mkdtempSync(join(tmpdir(), "hunch-state-"));

  /** A line of a shell in which `hunch` is this checkout. Throws where it ends with another code than 0. */
  run(line: string): Printed {
    const flags = CURRENT === "deno" ? ["run", "-A", "--no-prompt"] : [];
    const words = [...command(CURRENT), ...flags, `${ROOT}cli/main.ts`].map((word) => `'${word}'`).join(" ");
    const { stdout, stderr, status } = spawnSync("bash", ["-c", `hunch() { ${words} "$@"; }\n${line}`], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_STATE_HOME: this.#state },
    });
    if (status !== 0) throw new Error(`${line} ended with ${status}: ${stderr.trim().split("\n").at(-1)}`);
    const usual = (text: string) => text.replaceAll(this.#state, "~/.local/state");
    return { stdout: usual(stdout), stderr: usual(stderr) };
  }

  close(): void {
    rmSync(this.#state, { recursive: true, force: true });
  }
}
