// What native code prints while it looks for a GPU. Dawn writes several lines on stderr where there is no driver, or one
// that it does not like; people are told one line, in which the gist of these belongs.
import { readFileSync } from "node:fs";
import { loadFfi } from "../ffi.ts";

const STDERR = 2;
const CLOSE_ON_EXEC = 1;

/** Runs `work` and returns what came to stderr meanwhile, which nobody saw. On Linux; elsewhere "". */
export async function overhear<T>(work: () => Promise<T>): Promise<{ result: T; said: string }> {
  const ear = await listen();
  try {
    const result = await work();
    return { result, said: ear?.said() ?? "" };
  } finally {
    ear?.close();
  }
}

async function listen(): Promise<{ said(): string; close(): void } | undefined> {
  if (process.platform !== "linux") return undefined;
  const ffi = await loadFfi();
  if (!ffi) return undefined;
  try {
    const libc = ffi.open("libc.so.6");
    const dup = libc.symbol("dup", ["i32"], "i32");
    const dup2 = libc.symbol("dup2", ["i32", "i32"], "i32");
    const close = libc.symbol("close", ["i32"], "i32");
    const name = new TextEncoder().encode("stderr\0");
    const memory = libc.symbol("memfd_create", ["ptr", "i32"], "i32")(ffi.address(name), CLOSE_ON_EXEC);
    if (memory < 0) return undefined;
    const stderr = dup(STDERR);
    if (stderr < 0) return undefined;
    dup2(memory, STDERR);
    return {
      said: () => readFileSync(`/proc/self/fd/${memory}`, "utf8"),
      close() {
        dup2(stderr, STDERR);
        close(stderr);
        close(memory);
      },
    };
  } catch {
    return undefined; // another C library: whatever is printed is seen
  }
}

/** The last complaint in what was said, without where it comes from. */
export function gist(said: string): string {
  const complaints = [...said.matchAll(/^(?:Warning|Error): (.+)$/gm)].map(([, text]) => text.trim());
  return complaints.at(-1) ?? "";
}
