// What the machine reads from memory in a second: a gigabyte from end to end, in as many threads as passes use.
//
// A loop of WebAssembly, 16 bytes at a time from four places side by side. On a processor whose core reads 13.7 GB/s so, the
// same from one place reads 10.2 and a copy 8.9; Buffer.indexOf reads 12.3 under Bun and 0.7 under Deno, and a loop of
// JavaScript waits for its additions.
import { once } from "node:events";
import { Worker } from "node:worker_threads";

const PAGE = 2 ** 16;

/** One thread, as text: the binary has no file of its own for it. Reads its part of the memory whenever it is asked. */
const READER = `
const { parentPort, workerData } = require("node:worker_threads");
const { memory, read } = new WebAssembly.Instance(new WebAssembly.Module(workerData)).exports;
new Uint8Array(memory.buffer).fill(1); // memory that nobody has written to is not there
parentPort.on("message", () => parentPort.postMessage(read(memory.buffer.byteLength / 4)));
parentPort.postMessage(0);
`;

/** Bytes per second, the quickest of some rounds. */
export async function readBandwidth(threads: number, bytes = 2 ** 30, rounds = 5): Promise<number> {
  const pages = Math.floor(bytes / threads / PAGE);
  const workers = Array.from(
    { length: threads },
    () => new Worker(READER, { eval: true, workerData: reader(pages) }),
  );
  const answer = (worker: Worker) => once(worker, "message"); // rejects where the worker fails
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
    return 1000 * pages * PAGE * threads / best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The module: a memory, and a function that brings the bytes of its four quarters together. */
function reader(pages: number): Uint8Array<ArrayBuffer> {
  const QUARTER = 0, AT = 1, ALL = 2; // its parameter and two locals
  const [i32, v128] = [0x7f, 0x7b];
  const get = (local: number) => [0x20, local];
  const loadAndOr = (quarter: number) => [
    ...get(AT),
    ...[0xfd, 0x00, 4, ...leb(quarter * pages * PAGE / 4)], // v128.load
    ...[0xfd, 0x50], // v128.or
  ];
  const code = [
    ...[2, 1, i32, 1, v128],
    ...[0x03, 0x40], // loop
    ...[...get(ALL), ...[0, 1, 2, 3].flatMap(loadAndOr), 0x21, ALL],
    ...[...get(AT), 0x41, 16, 0x6a, 0x22, AT], // AT += 16
    ...[...get(QUARTER), 0x49, 0x0d, 0, 0x0b], // again where AT < QUARTER
    ...[...get(ALL), 0xfd, 0x53, 0x0b], // v128.any_true
  ];
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  return new Uint8Array([
    ...[0, ...new TextEncoder().encode("asm"), 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, i32, 1, i32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(pages)]),
    ...section(7, [2, ...name("read"), 0, 0, ...name("memory"), 2, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}

/** A number as WebAssembly writes it: 7 bits a byte, the lowest first. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...leb(Math.floor(value / 128))];
}
