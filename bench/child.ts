// A process that is measured: one request and one answer at a time, a line of JSON each. What is measured alternates
// between such processes, so that a busy or slowing machine meets them alike.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { command, ROOT } from "../scripts/runtimes.ts";

export class Child {
  readonly #process: ChildProcess;
  readonly #waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];

  constructor(readonly name: string, line: readonly string[], env: Record<string, string> = {}) {
    this.#process = spawn(line[0], line.slice(1), {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    createInterface({ input: this.#process.stdout! }).on("line", (text) => {
      if (!text.startsWith("{")) return; // a library's own chatter
      const answer = JSON.parse(text);
      const waiting = this.#waiting.shift();
      if ("error" in answer) waiting?.reject(new Error(`${this.name}: ${answer.error}`));
      else waiting?.resolve(answer);
    });
    this.#process.on("close", (code, signal) => {
      for (const { reject } of this.#waiting) reject(new Error(`${this.name} ended with ${signal ?? code}`));
    });
  }

  /** The answer to `{ do: what, …options }`. */
  ask<T>(what: string, options: Record<string, unknown> = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject });
      this.#process.stdin!.write(JSON.stringify({ do: what, ...options }) + "\n");
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) return resolve();
      this.#process.on("close", () => resolve());
      this.#process.stdin!.end();
    });
  }
}

/** hunch, in the runtime that runs the benchmark. */
export function hunch(env: Record<string, string> = {}): Child {
  const runtime = "Deno" in globalThis ? "deno" : "bun";
  const flags = runtime === "deno" ? ["run", "-A", "--no-prompt"] : [];
  return new Child("hunch", [...command(runtime), ...flags, `${ROOT}bench/worker.ts`], env);
}

/** node-llama-cpp, under Node. Call `installPeers` first. */
export function llama(): Child {
  return new Child("node-llama-cpp", ["node", `${ROOT}bench/peers/llama.mjs`]);
}
