// One thread of bandwidth.ts: adds up its part of the memory whenever it is asked.
import { parentPort, workerData } from "node:worker_threads";

const numbers = new Float64Array(workerData / 8).fill(1);
parentPort!.on("message", () => parentPort!.postMessage(sum()));
parentPort!.postMessage(0);

/** Eight sums side by side, so that the loop waits for memory and not for additions. */
function sum(): number {
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i + 8 <= numbers.length; i += 8) {
    a += numbers[i];
    b += numbers[i + 1];
    c += numbers[i + 2];
    d += numbers[i + 3];
    e += numbers[i + 4];
    f += numbers[i + 5];
    g += numbers[i + 6];
    h += numbers[i + 7];
  }
  return a + b + c + d + e + f + g + h;
}
