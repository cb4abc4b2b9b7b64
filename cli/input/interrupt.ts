// Ctrl-C. Before an answer begins it ends the program at once, as usual (nothing is ever half written). While one is
// being made, the first asks it to stop, so that what is there is shown with its summary; the second does not wait.
import { loadFfi } from "../../kernels/ffi.ts";
import { EXIT } from "../../src/errors.ts";

/** Runs `work` with a signal that the first Ctrl-C aborts. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onInterrupt);
  const disarm = await secondEndsProcess();
  try {
    return await work(controller.signal);
  } finally {
    disarm();
    process.off("SIGINT", onInterrupt);
  }
}

const SIGINT = 2;

/** Where C's `struct sigaction` has its flags, how long it is, and the flag after which a handler serves once. */
const LAYOUTS: Partial<Record<NodeJS.Platform, { flags: number; bytes: number; once: number; libraries: string[] }>> = {
  linux: {
    flags: 136,
    bytes: 152,
    once: 0x80000000,
    libraries: ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`],
  },
  darwin: { flags: 12, bytes: 16, once: 0x0004, libraries: ["libSystem.B.dylib"] },
};

/**
 * A handler in JavaScript runs when the thread comes to it, which a pass of some seconds delays and a plugin that
 * computes for ever prevents. So the system is told (SA_RESETHAND) that the first signal goes to the handler and the next
 * ends the process. Returns what takes this back. Windows has no such thing: there the second Ctrl-C waits for the thread.
 */
async function secondEndsProcess(): Promise<() => void> {
  const layout = LAYOUTS[process.platform];
  const ffi = layout && await loadFfi();
  if (!layout || !ffi) return () => {};
  const sigaction = open(layout.libraries, (path) => ffi.open(path).symbol("sigaction", ["i32", "ptr", "ptr"], "i32"));
  if (sigaction === undefined) return () => {};
  const usual = new Uint8Array(layout.bytes);
  sigaction(SIGINT, 0, ffi.address(usual));
  const once = usual.slice();
  const flags = new DataView(once.buffer);
  flags.setUint32(layout.flags, (flags.getUint32(layout.flags, true) | layout.once) >>> 0, true);
  sigaction(SIGINT, ffi.address(once), 0);
  return () => sigaction(SIGINT, ffi.address(usual), 0);
}

/** The first library that is there. */
function open<T>(libraries: readonly string[], symbol: (path: string) => T): T | undefined {
  for (const path of libraries) {
    try {
      return symbol(path);
    } catch {
      continue;
    }
  }
  return undefined;
}
