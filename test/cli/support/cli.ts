// Runs the command line of the source tree: in this process, where starting one is not what is tested, or as a process of
// its own under the runtime that runs the tests.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, CURRENT, ROOT } from "../../../scripts/runtimes.ts";
import { temporaryFolder } from "../../support/folder.ts";

/** The program and the arguments that start hunch; more follow. */
export const COMMAND = [
  ...command(CURRENT),
  ...CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : [],
  join(ROOT, "cli/main.ts"),
];
const [PROGRAM, ...FIRST] = COMMAND;

export const STORIES = join(ROOT, "test/fixtures/stories260k/stories260K-f32.gguf");
export const STORIES_DRAFT = join(ROOT, "test/fixtures/stories260k/draft41K-tok512.bin");
/** The same draft model with another tokenizer: 17 pieces are missing, and the pieces stand in another order. */
export const STORIES_OTHER = join(ROOT, "test/fixtures/stories260k/draft41K-tok495-f16.gguf");

/** A folder of this test file's own, gone when it ends. */
export const FOLDER = temporaryFolder();

/** The tiny model, without a cache to share and without native code. */
export const TINY = ["--model", STORIES, "--backend", "reference"];

/** For long prompts: the engine that is fast, with one thread, because a model so small has no work for two. */
export const QUICK = ["--backend", "onnx", "--format", "float32", "--threads", "1"];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What stdin has, a pipe that is closed behind it; absent: nothing. */
  readonly input?: string | Uint8Array;
  /** Variables besides those of ENVIRONMENT. The program sees no others. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; absent: FOLDER. */
  readonly cwd?: string;
}

const ENVIRONMENT = {
  PATH: process.env.PATH ?? "",
  DENO_NO_UPDATE_CHECK: "1",
  HUNCH_CACHE: join(FOLDER, "cache"),
};

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command in this process, from its arguments to its exit code, behind whatever runs before it. Not for signals,
 * descriptors, what a plugin throws beside its methods, and the checks of plugins: those need a process of their own.
 */
export function hunch(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const ended = last.then(() => runHere(args, options));
  last = ended.catch(() => {});
  return ended;
}

async function runHere(args: readonly string[], { input = "", env, cwd = FOLDER }: RunOptions): Promise<Ended> {
  const { run } = await import("../../../cli/run.ts");
  const streams = await import("../../../cli/output/streams.ts");
  const ended = { code: 0, stdout: "", stderr: "" };
  const undo: (() => void)[] = [];
  const put = <T extends object>(on: T, own: Partial<T>) => {
    const before = Object.fromEntries(Object.keys(own).map((key) => [key, on[key as keyof T]]));
    undo.push(() => Object.assign(on, before));
    Object.assign(on, own);
  };
  try {
    put(streams.stdin, { hasText: () => true, chunks: () => pieces(Buffer.from(input)) });
    for (const name of ["stdout", "stderr"] as const) {
      put(streams[name], { terminal: false, write: (text: string) => void (ended[name] += text) });
    }
    put(process, { env: { ...ENVIRONMENT, ...env } }); // native libraries, which look at the real one, see no change
    undo.push(listeningAsBefore(), inFolder(cwd));
    ended.code = await run(args);
    return ended;
  } finally {
    undo.reverse().forEach((each) => each());
  }
}

/** As a pipe gives them. */
async function* pieces(bytes: Uint8Array, length = 2 ** 16): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += length) yield bytes.subarray(from, from + length);
}

/** Commands that load plugins listen for stray errors until the process ends; here until this is called. */
function listeningAsBefore(): () => void {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => process.listeners(event as "exit"));
  return () =>
    events.forEach((event, i) => {
      for (const listener of process.listeners(event as "exit")) {
        if (!before[i].includes(listener)) process.removeListener(event, listener);
      }
    });
}

function inFolder(folder: string): () => void {
  const before = process.cwd();
  process.chdir(folder);
  return () => process.chdir(before);
}

/**
 * `watch`: called with the process and what it has said so far, at every piece of its stdout; `open`: its stdin stays open
 * behind the input, for `watch` to end.
 */
export function hunchProcess(
  args: readonly string[],
  { input = "", env, cwd = FOLDER, watch, open = false }: RunOptions & {
    watch?: (child: ChildProcess, stdout: string) => void;
    open?: boolean;
  } = {},
): Promise<Ended> {
  const child = spawn(PROGRAM, [...FIRST, ...args], { env: { ...ENVIRONMENT, ...env }, cwd });
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      watch?.(child, stdout);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
    child.on("error", reject);
    // Deno's node:child_process reports exit code 130 as death by SIGINT; what is on stderr tells them apart.
    child.on("close", (code, signal) => resolve({ code: signal === "SIGINT" ? 130 : code, stdout, stderr }));
    child.stdin.on("error", () => {}); // closed before all was read
    child.stdin.write(input);
    if (!open) child.stdin.end();
  });
}

/** A file in FOLDER. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}

const TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:";

/** The tiny model with a chat template: one more entry in its header, as long as keeps the rest where it was. */
export function chatModel(template = TEMPLATE, name = "stories-chat.gguf"): string {
  const model = readFileSync(STORIES);
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([length, bytes]);
  };
  const entry = (template: string) =>
    Buffer.concat([text("tokenizer.chat_template"), Buffer.of(8, 0, 0, 0), text(template)]);
  const missing = (32 - entry(template + "{##}").length % 32) % 32;
  const header = Buffer.from(model.subarray(0, 24));
  header.writeBigUInt64LE(header.readBigUInt64LE(16) + 1n, 16);
  const added = entry(`${template}{#${" ".repeat(missing)}#}`);
  return file(name, Buffer.concat([header, added, model.subarray(24)]));
}
