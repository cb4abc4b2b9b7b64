// Ctrl-C. Before an answer begins it ends the program at once, as usual (nothing is ever half written). While one is
// being made, the first asks it to stop, so that what is there is shown with its summary; the second does not wait.
import { EXIT } from "../src/errors.ts";

/** Runs `work` with a signal that the first Ctrl-C aborts. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onInterrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}
