// Columns of text, and numbers as people read them.
import { columnsOf } from "./columns.ts";

/** Rows padded to columns; `right` names the columns that are set to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell)));
  return rows.map((row) =>
    row.map((cell, i) => {
      const padding = " ".repeat(widths[i] - columnsOf(cell));
      return right.includes(i) ? padding + cell : cell + padding;
    }).join("  ").trimEnd()
  );
}

/** The same as Markdown; all but the first `left` columns are set to the right. Every row has as many cells as `head`. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left = 1,
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const cells = (row: readonly string[]) => row.map((cell) => cell.replaceAll("|", "\\|"));
  return [
    line(cells(head)),
    line(head.map((_, i) => i < left ? "---" : "---:")),
    ...rows.map((row) => line(cells(row))),
  ]
    .join("\n");
}

export function bytes(count: number): string {
  return inUnits(count, [" bytes", " kB", " MB", " GB", " TB"]);
}

/** Parameters and the like: 135 M, 1.7 B. */
export function count(number: number): string {
  return inUnits(number, ["", " k", " M", " B"]);
}

/** Three digits at most, in the unit that allows it; each unit is a thousand of the one before. */
function inUnits(number: number, units: readonly string[]): string {
  let unit = 0;
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000;
    unit++;
  }
  return `${unit === 0 || number >= 99.95 ? Math.round(number) : number.toFixed(1)}${units[unit]}`;
}

export function when(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ");
}
