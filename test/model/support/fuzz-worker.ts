// Runs fuzz cases one after the other and tells how each ended, so that its owner can end it when one hangs.
import process from "node:process";
import { makeCase, type Outcome, outcome } from "./fuzz.ts";
import { temporaryFolder } from "../../support/folder.ts";

export interface Order {
  readonly seed: number;
  readonly first: number;
  readonly count: number;
}

export type Report =
  | { readonly number: number; readonly what: string }
  | { readonly number: number; readonly outcome: Outcome; readonly ms: number; readonly bytes: number }
  | { readonly number: number; readonly failure: string };

interface Port {
  onmessage: ((event: { data: Order }) => void) | null;
  postMessage(report: Report): void;
}

const port = globalThis as unknown as Port;

port.onmessage = async ({ data: { seed, first, count } }) => {
  const folder = temporaryFolder();
  for (let number = first; number < first + count; number++) {
    const made = makeCase(seed, number);
    port.postMessage({ number, what: made.what });
    const path = made.write(folder);
    const before = process.memoryUsage().rss;
    const start = performance.now();
    try {
      const result = await outcome(path);
      const ms = performance.now() - start;
      if (!made.allowed.includes(result)) throw new Error(`${result}, but it should be ${made.allowed.join(" or ")}`);
      port.postMessage({ number, outcome: result, ms, bytes: process.memoryUsage().rss - before });
    } catch (error) {
      port.postMessage({ number, failure: error instanceof Error ? error.stack ?? error.message : String(error) });
    }
  }
};
