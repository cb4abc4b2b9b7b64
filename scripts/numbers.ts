// Numbers in documents. A number that was measured stands in a block that names who made it,
//
//   <!-- numbers: passes -->  …  <!-- end -->
//
// and occurs, rounded or not, in docs/measured/passes.md, a page that `npm run numbers -- passes` writes: what the suite
// of that name in bench/ printed, with the machine, the commit and the command. Tables with columns of that
// page and what stands below a `$ command` of it are the page's, line by line. What looks measured outside of such blocks
// is listed with its source in unmeasured.ts. The check is part of `npm run check`.
//
//   npm run numbers                     all pages (about an hour), then the tables and transcripts that documents quote
//   npm run numbers -- passes start     some of them
//   npm run numbers -- --only-quote     no page anew, only what documents quote
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { PAGES } from "../bench/pages.ts";
import { BLOCK, COMMAND, quoted } from "./quote.ts";
import { command, CURRENT, ROOT } from "./runtimes.ts";
import { UNMEASURED, type Unmeasured } from "./unmeasured.ts";

const FOLDER = "docs/measured";
/** A number followed by one of these is a measurement, unless its source is another. */
const UNITS = [
  ..."× x % percent kB KB MB GB TB KiB MiB GiB ms msec µs μs ns s sec secs min mins hrs tps".split(" "),
  "(?:milli|micro|nano)?seconds?|minutes?|hours?",
  "[kKMG]i?B(?:/| (?:a|per) )(?:s|sec|second)",
  "(?:tokens?|toks?|t|rows)(?:/| (?:a|per|each) )(?:pass|round|step|second|sec|s)",
  "fold|times(?! \\d)|as (?:much|many|fast|long)",
  "of (?:the time|plain)",
].join("|");
/** What may stand between a number and its unit. */
const GAP = "(?:\\s|&nbsp;|<[^<>\\n]*>|[*_`[(-])*";
/** Before a number: it is one of these, or so many times something. */
const QUANTITIES =
  "(?:tokens/s|speed-?ups?|factors?|acceptance)(?:(?: (?:of|by|is|was|about|=)|:) ?)+|(?<=[\\s(*])[×≈~]";
const IN_DIGITS = "(?<![\\w.])\\d(?:[\\d.,–]*\\d)?";
const IN_WORDS = "\\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|forty|fifty|hundred)";
const LOOKS_MEASURED = new RegExp(
  [
    `(?:${IN_DIGITS}|${IN_WORDS})${GAP}(?:${UNITS})(?![\\w/])`,
    `(?:${QUANTITIES})[*_\`]*${IN_DIGITS}`,
    "\\b(?:twice|thrice|half|thirds?|quarters?|fifth|tenth) (?:as (?:fast|slow|quick|long)|(?:of )?the (?:speed|time))\\b",
  ].join("|"),
  "g",
);
/** A cell of a table without words and with a decimal number, which has its unit elsewhere; any number in HTML's. */
const IN_TABLE = /(?<=^\|(?:.*\|)?)[^|\n\p{L}`[]*\d\.\d[^|\n\p{L}`[]*(?=\|)|(?<=<t[dh][^<>\n]*>)[^<\n]*\d[^<\n]*/gmu;
/** The head of a column of measurements. */
const HEAD_WITH_UNIT = new RegExp(`(?:^|[\\s(,])(?:${UNITS}|speed-?ups?|over plain|acceptance)(?=$|[\\s),])`);
const DIGITS = /(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?/g;
/** Digits in words (Q4_1, 135M), versions and links are no numbers. */
const NUMBER = /(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.]*\w)/g;

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
    for (const { 0: found, index } of body.matchAll(LOOKS_MEASURED)) {
      if (!/\d/.test(found)) {
        wrong.push(`${at(start + index)}: ${JSON.stringify(found)} cannot be looked up; say it in digits`);
      }
    }
    for (const { 0: number, index } of numbersIn(body)) {
      if (!made.some((other) => rounds(other, number))) {
        wrong.push(`${at(start + index)}: ${number} is not in ${FOLDER}/${names.replaceAll(" ", ".md, ")}.md`);
      }
    }
  }
  let rest = blank(text, BLOCK);
  for (const { index } of rest.matchAll(/^<!-- numbers:/gm)) wrong.push(`${at(index)}: this block has no end`);
  for (const { words } of unmeasured.filter((one) => one.document === document)) {
    const place = new RegExp(words.split(/\s+/).map(RegExp.escape).join("\\s+"), "g");
    const without = blank(rest, place);
    if (without === rest) wrong.push(`${document} does not say ${JSON.stringify(words)} (scripts/unmeasured.ts)`);
    rest = without;
  }
  const nobodys = (found: string, index: number) =>
    wrong.push(`${at(index)}: nobody says where ${JSON.stringify(found)} is from (scripts/numbers.ts)`);
  for (const pattern of [LOOKS_MEASURED, IN_TABLE]) {
    for (const { 0: found, index } of rest.matchAll(pattern)) nobodys(found, index);
    rest = blank(rest, pattern);
  }
  for (const { cell, index } of measuredCells(rest)) nobodys(cell, index);
  return wrong;
}

/** Cells with a number below a head that has a unit. */
function measuredCells(text: string): { readonly cell: string; readonly index: number }[] {
  return Array.from(text.matchAll(/^(?:\|.*\n?)+/gm)).flatMap(({ 0: table, index }) => {
    let units: boolean[] | undefined;
    return Array.from(table.matchAll(/^.*$/gm)).flatMap((line) => {
      const cells = Array.from(line[0].matchAll(/(?<=\|)(?:\\\||[^|])*(?=\|)/g));
      units ??= cells.map(([head]) => HEAD_WITH_UNIT.test(head));
      return cells.filter(({ 0: cell }, i) => units![i] && cell.match(NUMBER) !== null && !HEAD_WITH_UNIT.test(cell))
        .map(({ 0: cell, index: within }) => ({ cell: cell.trim(), index: index + line.index + within }));
    });
  });
}

/** Code in words and where links lead are no numbers; they are blanked, so that places stay. */
function readable(text: string): string {
  return blank(blank(text, /(?<!`)`[^`\n]+`(?!`)/g), /\]\([^)\n]*\)/g);
}

/** The numbers of a block; those with a unit in code as well, or with the unit close to it. */
function numbersIn(body: string): { readonly 0: string; readonly index: number }[] {
  const measured = Array.from(body.matchAll(LOOKS_MEASURED)).flatMap(({ 0: found, index }) =>
    Array.from(found.matchAll(DIGITS), (match) => ({ 0: match[0], index: index + match.index }))
  );
  const bare = [...readable(body).matchAll(NUMBER)].filter(({ index }) => measured.every((one) => one.index !== index));
  return [...bare, ...measured].sort((a, b) => a.index - b.index);
}

/** The numbers of a page, but when, where and by which command it was made. */
function numbersOf(page: string): number[] {
  const own = page.replaceAll(/^- (?:processor|system|runtime|hunch|measured|command): .*$/gm, "");
  return Array.from(own.matchAll(DIGITS), ([number]) => valueOf(number));
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
  return ["README.md", "bench/README.md", ...names.map((name) => `docs/${name}`)];
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

/** Whether tables and transcripts are those of the pages, not only their numbers; a line where they are not. */
export function wrongQuotes(document: string, text: string, pages: ReadonlyMap<string, string>): string[] {
  const fresh = quoted(text, pages).split("\n");
  const line = text.split("\n").findIndex((line, i) => line !== fresh[i]);
  if (line < 0 && text.split("\n").length === fresh.length) return [];
  const hint = "npm run numbers -- --only-quote";
  return [`${document}:${line + 1}: the table or transcript is not that of its page in ${FOLDER} (${hint})`];
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
  const wrong = documents().flatMap((path) => [
    ...wrongNumbers(path, read(path), pages, UNMEASURED),
    ...wrongQuotes(path, read(path), pages),
  ]);
  return [...nameless, ...unknown, ...wrong];
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const names = words.filter((word) => !word.startsWith("--"));
  const wrong = names.find((name) => !Object.hasOwn(PAGES, name));
  if (wrong !== undefined) {
    console.error(`numbers: no page ${wrong}; there are ${Object.keys(PAGES).join(", ")}`);
    process.exit(2);
  }
  const failed: string[] = []; // the others are made all the same
  if (!words.includes("--only-quote")) {
    const { spawnSync } = await import("node:child_process");
    const deno = CURRENT === "deno" ? ["run", "-A", "--no-prompt"] : [];
    for (const name of names.length > 0 ? names : Object.keys(PAGES)) {
      const [program, ...args] = [...command(CURRENT), ...deno, "bench/run.ts", name, ...PAGES[name], "--docs"];
      const { status } = spawnSync(program, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
      if (status !== 0) failed.push(`${FOLDER}/${name}.md was not made: its suite ended with ${status}`);
    }
  }
  for (const path of documents()) writeFileSync(`${ROOT}${path}`, quoted(read(path), madePages()));
  const complaints = [...failed, ...numbersInDocuments()];
  for (const complaint of complaints) console.error(complaint);
  process.exit(complaints.length === 0 ? 0 : 1);
}
