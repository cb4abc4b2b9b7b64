// What documents quote of the pages in docs/measured, in blocks that name them (numbers.ts): tables, and what commands print.
export const BLOCK = /<!-- numbers: ([^\n]*?) -->\n(.*?)<!-- end -->/gs;
export const COMMAND = /^\$ .*$/gm;
/** A command and what it printed. */
const TRANSCRIPT = /^(\$ .*)\n((?:(?!\$ |```).*\n)*)/gm;

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
