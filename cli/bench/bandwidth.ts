// What the machine reads from memory in a second: a plain loop over a gigabyte in as many threads as passes use.
import { Worker } from "node:worker_threads";

/** Bytes per second, the quickest of some rounds. */
export async function readBandwidth(threads: number, bytes = 2 ** 30, rounds = 5): Promise<number> {
  const each = Math.floor(bytes / threads);
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./bandwidth-worker.ts", import.meta.url), { workerData: each }),
  );
  const answer = (worker: Worker) => new Promise<number>((resolve) => worker.once("message", resolve));
  try {
    await Promise.all(workers.map(answer)); // the memory is there
    let best = Infinity;
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      const done = workers.map(answer);
      for (const worker of workers) worker.postMessage("read");
      await Promise.all(done);
      best = Math.min(best, performance.now() - started);
    }
    return 1000 * each * threads / best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
