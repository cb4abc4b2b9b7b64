// Numbers in documents. A number that was measured stands in a block that names who made it,
//
//   <!-- numbers: passes -->  …  <!-- end -->
//
// and occurs, rounded or not, in docs/measured/passes.md, a page that `npm run numbers -- passes` writes: what the suite
// of that name in bench/ printed, with the machine, the commit and the command. What looks measured outside of such blocks
// is listed with its source in unmeasured.ts. The check is part of `npm run check`.
//
//   npm run numbers                     all pages (about an hour), then the tables and transcripts that documents quote
//   npm run numbers -- passes start     some of them
//   npm run numbers -- --only-quote     no page anew, only what documents quote
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { PAGES } from "../bench/pages.ts";
import { command, CURRENT, ROOT } from "./runtimes.ts";
import { UNMEASURED, type Unmeasured } from "./unmeasured.ts";

const FOLDER = "docs/measured";
const BLOCK = /<!-- numbers: ([^\n]*?) -->\n(.*?)<!-- end -->/gs;
/** A number followed by one of these is a measurement, unless its source is another. */
const UNITS = [
  ..."× ms µs s seconds % kB MB GB KiB MiB GiB MB/s GB/s tokens/s".split(" "),
  "(?:tokens|rows) (?:a|per) pass",
  "times (?:as|plain|faster|slower|longer)",
].join("|");
const LOOKS_MEASURED = new RegExp(`(?<![\\w.])\\d[\\d.,–]*\\s?(?:${UNITS})(?![\\w/])`, "g");
/** A cell of a table without words and with a decimal number, which has its unit elsewhere. */
const IN_TABLE = /(?<=^\|(?:.*\|)?)[^|\n\p{L}`[]*\d\.\d[^|\n\p{L}`[]*(?=\|)/gmu;
/** Digits in words (Q4_1, 135M), versions and links are no numbers. */
const NUMBER = /(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*\w)/g;

const COMMAND = /^\$ .*$/gm;
/** A command and what it printed. */
const TRANSCRIPT = /^(\$ .*)\n((?:(?!\$ |```).*\n)*)/gm;

/** What is wrong with the numbers of a document, a line each. `pages`: the text of each page in docs/measured. */
export function wrongNumbers(
  document: string,
  text: string,
  pages: ReadonlyMap<string, string>,
  unmeasured: readonly Unmeasured[],
): string[] {
  const wrong: string[] = [];
  const at = (index: number) => `${document}:${text.slice(0, index).split("\n").length}`;
  for (const { 0: whole, 1: names, 2: body, index } of text.matchAll(BLOCK)) {
    const missing = names.split(" ").filter((name) => !pages.has(name));
    if (missing.length > 0) {
      if (body.match(NUMBER) !== null) wrong.push(`${at(index)}: there is no ${FOLDER}/${missing[0]}.md`);
      continue;
    }
    const made = names.split(" ").flatMap((name) => numbersOf(pages.get(name)!));
    const start = index + whole.indexOf(body);
    for (const { 0: number, index } of readable(body).matchAll(NUMBER)) {
      if (!made.some((other) => rounds(other, number))) {
        wrong.push(`${at(start + index)}: ${number} is not in ${FOLDER}/${names.replaceAll(" ", ".md, ")}.md`);
      }
    }
  }
  let rest = blank(text, BLOCK);
  for (const { words } of unmeasured.filter((one) => one.document === document)) {
    const place = new RegExp(words.split(/\s+/).map(RegExp.escape).join("\\s+"), "g");
    const without = blank(rest, place);
    if (without === rest) wrong.push(`${document} does not say ${JSON.stringify(words)} (scripts/unmeasured.ts)`);
    rest = without;
  }
  for (const pattern of [LOOKS_MEASURED, IN_TABLE]) {
    for (const { 0: found, index } of rest.matchAll(pattern)) {
      wrong.push(`${at(index)}: nobody says where ${JSON.stringify(found)} is from (scripts/numbers.ts)`);
    }
    rest = blank(rest, pattern);
  }
  return wrong;
}

/**
 * The document with what it quotes as the pages have it now: tables by their heads (all their columns or some), and in
 * transcripts what stands below each `$ command`, of which a line "…" leaves out the middle.
 */
export function quoted(text: string, pages: ReadonlyMap<string, string>): string {
  const times = new Map<string, number>(); // a command may stand there twice and say something else
  return text.replaceAll(BLOCK, (whole: string, names: string, body: string) => {
    const found = names.split(" ").flatMap((name) => pages.get(name) ?? []).join("\n\n");
    const tables = tablesOf(found);
    let next = 0; // in the order of the page: heads may be alike
    const fresh = body.replaceAll(/^(?:\|.*\n)+/gm, (table) => {
      const [{ head }] = tablesOf(table);
      const has = (other: Table) => head.every((cell) => other.head.includes(cell));
      const place = tables.findIndex((other, i) => i >= next && has(other));
      if (place < 0) return table;
      next = place + 1;
      return columnsOf(tables[place], head);
    });
    const answers = transcriptsOf(found);
    const current = fresh.replaceAll(TRANSCRIPT, (all, line: string, shown: string) => {
      const time = times.get(line) ?? 0;
      times.set(line, time + 1);
      const told = answers.get(line)?.[time];
      return told === undefined ? all : `${line}\n${cutLike(shown, told)}`;
    });
    return whole.replace(body, () => current);
  });
}

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const isRule = (cells: readonly string[]) => cells.every((cell) => /^:?-+:?$/.test(cell));

function tablesOf(text: string): Table[] {
  return Array.from(text.matchAll(/^(?:\|.*\n?)+/gm), ([table]) => {
    const lines = table.trim().split("\n").map((line) =>
      line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
    );
    return { head: lines[0], rows: lines.slice(1).filter((cells) => !isRule(cells)) };
  });
}

function columnsOf({ head, rows }: Table, wanted: readonly string[]): string {
  const columns = wanted.map((cell) => head.indexOf(cell));
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const rule = wanted.map((_, i) => i === 0 ? "---" : "---:");
  return [wanted, rule, ...rows.map((row) => columns.map((at) => row[at]))].map(line).join("");
}

/** What each `$ command` of a page printed, each time. */
function transcriptsOf(page: string): Map<string, string[]> {
  const all = Array.from(page.matchAll(TRANSCRIPT), ([, line, told]) => ({ line, told }));
  return new Map([...Map.groupBy(all, ({ line }) => line)].map(([line, own]) => [line, own.map(({ told }) => told)]));
}

/** As many lines of the beginning and of the end as are shown around "…"; all where nothing is left out. */
function cutLike(shown: string, told: string): string {
  const [before, after] = shown.split(/^…\n/m);
  if (after === undefined) return told;
  const count = (part: string) => part.split("\n").length - 1;
  const lines = told.replace(/\n$/, "").split("\n");
  const end = count(after) === 0 ? [] : lines.slice(-count(after));
  return [...lines.slice(0, count(before)), "…", ...end].map((line) => `${line}\n`).join("");
}

/** Code in words and where links lead are no numbers; they are blanked, so that places stay. */
function readable(text: string): string {
  return blank(blank(text, /(?<!`)`[^`\n]+`(?!`)/g), /\]\([^)\n]*\)/g);
}

function numbersOf(page: string): number[] {
  return Array.from(page.matchAll(/(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?/g), ([number]) => valueOf(number));
}

const valueOf = (number: string) => Number(number.replaceAll(",", ""));

/** `number`, as it is written, is `value` rounded to as many digits. */
function rounds(value: number, number: string): boolean {
  const digits = number.split(".")[1]?.length ?? 0;
  return Math.abs(value - valueOf(number)) <= 0.5 * 10 ** -digits + 1e-9;
}

function blank(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (found) => found.replaceAll(/[^\n]/g, " "));
}

const read = (path: string) => readFileSync(`${ROOT}${path}`, "utf8");

/** The pages that are there. */
function madePages(): Map<string, string> {
  const names = existsSync(`${ROOT}${FOLDER}`) ? readdirSync(`${ROOT}${FOLDER}`) : [];
  return new Map(names.map((name) => [name.replace(/\.md$/, ""), read(`${FOLDER}/${name}`)]));
}

function documents(): string[] {
  const names = readdirSync(`${ROOT}docs`).filter((name) => name.endsWith(".md"));
  return ["README.md", ...names.map((name) => `docs/${name}`)];
}

/** The `$ command` lines in the blocks of all documents, each as often as the document that has it most often. */
export function transcribed(): string[] {
  const lines: string[] = [];
  const count = (all: readonly string[], line: string) => all.filter((other) => other === line).length;
  for (const path of documents()) {
    const blocks = Array.from(read(path).matchAll(BLOCK), ([, , body]) => body).join("\n");
    (blocks.match(COMMAND) ?? []).forEach((line, i, own) => {
      if (count(own.slice(0, i + 1), line) > count(lines, line)) lines.push(line);
    });
  }
  return lines;
}

/** What is wrong with all of them. */
export function numbersInDocuments(): string[] {
  const pages = madePages();
  const nameless = [...pages.keys()].filter((name) => !Object.hasOwn(PAGES, name))
    .map((name) => `${FOLDER}/${name}.md: nobody makes it (bench/pages.ts)`);
  const unknown = documents().flatMap((path) =>
    Array.from(read(path).matchAll(BLOCK), ([, names]) => names).flatMap((names) => names.split(" "))
      .filter((name) => !Object.hasOwn(PAGES, name)).map((name) => `${path}: there is no page ${name} (bench/pages.ts)`)
  );
  return [...nameless, ...unknown, ...documents().flatMap((path) => wrongNumbers(path, read(path), pages, UNMEASURED))];
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const names = words.filter((word) => !word.startsWith("--"));
  const wrong = names.find((name) => !Object.hasOwn(PAGES, name));
  if (wrong !== undefined) {
    console.error(`numbers: no page ${wrong}; there are ${Object.keys(PAGES).join(", ")}`);
    process.exit(2);
  }
  if (!words.includes("--only-quote")) {
    const { spawnSync } = await import("node:child_process");
    const deno = CURRENT === "deno" ? ["run", "-A", "--no-prompt"] : [];
    for (const name of names.length > 0 ? names : Object.keys(PAGES)) {
      const [program, ...args] = [...command(CURRENT), ...deno, "bench/run.ts", name, ...PAGES[name], "--docs"];
      if (spawnSync(program, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] }).status !== 0) process.exit(1);
    }
  }
  for (const path of documents()) writeFileSync(`${ROOT}${path}`, quoted(read(path), madePages()));
  const complaints = numbersInDocuments();
  for (const complaint of complaints) console.error(complaint);
  process.exit(complaints.length === 0 ? 0 : 1);
}
