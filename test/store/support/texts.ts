// Texts that can be told from one another, in stores that come and go.
import { join } from "node:path";
import { command, CURRENT } from "../../../scripts/runtimes.ts";
import { Store } from "../../../src/store/store.ts";
import { temporaryFolder } from "../../support/folder.ts";

export const ABOUT = { tokenizer: "0123456789abcdef", vocab: 1000, model: "tiny" };

/** The text of a number below 100,000: begins with it, in digits of 10, and goes on for some tokens. */
export function textOf(number: number): Int32Array {
  const digits = [4, 3, 2, 1, 0].map((power) => 900 + Math.floor(number / 10 ** power) % 10);
  return Int32Array.of(
    999,
    ...digits,
    998,
    ...Array.from({ length: 5 + number % 40 }, (_, i) => (number * 7 + i) % 900),
  );
}

/** How often the store has the text of a number, whole. */
export function countOf(store: Store, number: number): number {
  const text = textOf(number);
  return store.find(text, text.length, text.length)?.count ?? 0;
}

const root = temporaryFolder();
let stores = 0;

/** The folder of a new, empty store. */
export function freshStore(limit?: number): string {
  const folder = join(root, `store${stores++}`);
  Store.create(folder, ABOUT, limit);
  return folder;
}

/** The program and arguments that run writer.ts. */
export function writer(folder: string, first: number, count: number): string[] {
  const run = [...command(CURRENT), ...CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : []];
  return [...run, new URL("writer.ts", import.meta.url).pathname, folder, `${first}`, `${count}`];
}
