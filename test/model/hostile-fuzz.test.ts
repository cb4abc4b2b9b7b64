// Mutated model files: each is opened, with every tensor readable, or refused in one proper line; within a time and a
// memory limit. 500 cases here; HUNCH_FUZZ=20000 is the long run, HUNCH_FUZZ_SEED another list.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Outcome } from "./support/fuzz.ts";
import type { Order, Report } from "./support/fuzz-worker.ts";

/** One case may take this long, and this much more memory than before it (files are under 1 MB). */
const MOST_MS = 20_000;
const MOST_BYTES = 400 << 20;

const count = Number(process.env.HUNCH_FUZZ ?? 500);
const seed = Number(process.env.HUNCH_FUZZ_SEED ?? 1);

test(`${count} mutated model files are opened or refused, within limits`, { timeout: 3_600_000 }, async () => {
  const sums: Record<Outcome, number> = { opened: 0, refused: 0 };
  let slowest = 0, largest = 0;
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker(new URL("./support/fuzz-worker.ts", import.meta.url), { type: "module" });
    let what = "nothing yet";
    let watchdog: ReturnType<typeof setTimeout>;
    const finish = (error?: Error) => {
      clearTimeout(watchdog);
      worker.terminate();
      if (error) reject(error);
      else resolve();
    };
    const rest = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => finish(new Error(`hangs: ${what}`)), MOST_MS);
    };
    worker.onerror = (event) => finish(new Error(`the worker died in ${what}: ${event.message}`));
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      rest();
      if ("what" in data) {
        what = `case ${data.number}, ${data.what}`;
        return;
      }
      if ("failure" in data) return finish(new Error(`${what}: ${data.failure}`));
      if (data.bytes > MOST_BYTES) return finish(new Error(`${what}: ${data.bytes} bytes of memory`));
      sums[data.outcome]++;
      slowest = Math.max(slowest, data.ms);
      largest = Math.max(largest, data.bytes);
      if (data.number === count - 1) finish();
    };
    rest();
    const order: Order = { seed, first: 0, count };
    worker.postMessage(order);
  });
  assert.equal(sums.opened + sums.refused, count);
  if (process.env.HUNCH_FUZZ) {
    const memory = (largest / 2 ** 20).toFixed(0);
    console.log(
      `${sums.opened} opened, ${sums.refused} refused; slowest ${slowest.toFixed(0)} ms, most memory ${memory} MB`,
    );
  }
  // The mutations reach behind the first check: both ends occur often.
  assert.ok(sums.opened > count / 20 && sums.refused > count / 3, `${sums.opened} opened, ${sums.refused} refused`);
});
