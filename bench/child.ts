// A process that is measured: one request and one answer at a time, a line of JSON each. What is measured alternates
// between such processes, so that a busy or slowing machine meets them alike.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { command, CURRENT, ROOT, type Runtime } from "../scripts/runtimes.ts";

/** How much of what a process complains about is kept. */
const TAIL = 4000;

export interface ChildOptions {
  readonly env?: Record<string, string>;
  /** Gets what the process writes to stderr, which else goes to our own. */
  readonly listen?: (text: string) => void;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  #complaint = "";
  #ended: string | undefined;

  constructor(readonly name: string, line: readonly string[], { env, listen }: ChildOptions = {}) {
    this.#process = spawn(line[0], line.slice(1), { cwd: ROOT, env: { ...process.env, ...env }, stdio: "pipe" });
    createInterface({ input: this.#process.stdout! }).on("line", (text) => {
      if (!text.startsWith("{")) return; // a library's own chatter
      const answer = JSON.parse(text);
      const waiting = this.#waiting.shift();
      if ("error" in answer) waiting?.reject(new Error(`${this.name}: ${answer.error}`));
      else waiting?.resolve(answer);
    });
    this.#process.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-TAIL);
      if (listen) listen(text);
      else process.stderr.write(text);
    });
    this.#process.stdin!.on("error", () => {}); // it has ended: told below
    this.#process.on("error", (error) => this.#end(`cannot be started: ${error.message}`));
    this.#process.on("close", (code, signal) => this.#end(`ended with ${signal ?? code}`));
  }

  /** Milliseconds that the processor has spent on the first thread of the process. Linux only. */
  cpuMs(): number {
    return Number(readFileSync(`/proc/${this.#process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  }

  /**
   * The answer to `{ do: what, …options }`. Throws what the process answers where it fails, and where it ends instead.
   * After `limitMs` the process is killed.
   */
  ask<T>(what: string, options: object = {}, limitMs?: number): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(new Error(`${this.name} ${this.#ended}`));
    return new Promise((resolve, reject) => {
      const timer = limitMs === undefined ? undefined : setTimeout(() => {
        this.#end(`gave no answer to ${what} in ${limitMs / 1000} s`);
        this.#process.kill("SIGKILL");
      }, limitMs);
      this.#waiting.push({
        resolve(answer) {
          clearTimeout(timer);
          resolve(answer as T);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#process.stdin!.write(JSON.stringify({ do: what, ...options }) + "\n");
    });
  }

  /** Lets the process end; one that has not after `limitMs` is killed. */
  close(limitMs = 10_000): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null || !this.#process.pid) return resolve();
      const timer = setTimeout(() => {
        this.#process.kill("SIGKILL");
        resolve();
      }, limitMs);
      this.#process.on("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#process.stdin!.end();
    });
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    const last = this.#complaint.trim().split("\n").at(-1);
    this.#ended = last ? `${why}: ${last}` : why;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(`${this.name} ${this.#ended}`));
  }
}

/** A script of ours, in the runtime that runs the benchmark or in another. */
export function script(name: string, path: string, options: ChildOptions = {}, runtime: Runtime = CURRENT): Child {
  const flags = runtime === "deno" ? ["run", "-A", "--no-prompt"] : [];
  return new Child(name, [...command(runtime), ...flags, `${ROOT}${path}`], options);
}

/** hunch, in the runtime that runs the benchmark or in another. */
export function hunch(options: ChildOptions = {}, runtime: Runtime = CURRENT): Child {
  return script("hunch", "bench/worker.ts", options, runtime);
}

/** node-llama-cpp, under Node. Call `installPeers` first. */
export function llama(options: ChildOptions = {}): Child {
  return new Child("node-llama-cpp", ["node", `${ROOT}bench/peers/llama.mjs`], options);
}

/** transformers.js, under Node. Call `installTransformers` first. */
export function transformers(options: ChildOptions = {}): Child {
  return new Child("transformers.js", ["node", `${ROOT}bench/peers/transformers/serve.mjs`], options);
}
