// Kills a process at random moments of writing to a store, and looks whether the store is good every time.
//
//   node scripts/bun.mjs test/store/support/killed.ts 50
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { Store } from "../../../src/store/store.ts";
import { countOf, freshStore, writer } from "./texts.ts";

/** Most milliseconds from the first text on. */
const LATEST = 60;
const EACH = 2000;

/** Throws where a text that was said to be there is not, or not once, or a part is damaged. Returns how many there are. */
export async function killAtRandom(times: number): Promise<number> {
  const folder = freshStore();
  const said: number[] = [];
  for (let time = 0; time < times; time++) {
    said.push(...await writeAndDie(folder, time * EACH));
    const lines: string[] = [];
    const store = Store.open(folder, (line) => lines.push(line));
    assert.ok(store.verify(), lines.join());
    assert.deepEqual(lines, []);
    for (const number of said) assert.equal(countOf(store, number), 1, `text ${number} after ${time + 1} kills`);
    store.close();
  }
  return said.length;
}

async function writeAndDie(folder: string, first: number): Promise<number[]> {
  const [program, ...args] = writer(folder, first, EACH);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  let waiting = true;
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject).on("close", () => resolve());
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (waiting) setTimeout(() => child.kill("SIGKILL"), Math.random() * LATEST);
      waiting = false;
    });
  });
  return out.split("\n").slice(0, -1).map(Number);
}

if (import.meta.main) {
  const times = Number(process.argv[2] ?? 50);
  console.log(`${await killAtRandom(times)} texts written, none lost, in ${times} kills`);
}
