// Columns of text, and numbers as people read them.

/** Rows padded to columns; `right` names the columns that are set to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, width(cell)));
  return rows.map((row) =>
    row.map((cell, i) => {
      const padding = " ".repeat(widths[i] - width(cell));
      return right.includes(i) ? padding + cell : cell + padding;
    }).join("  ").trimEnd()
  );
}

/** Characters as a terminal counts them, near enough: colours take no room. */
function width(text: string): number {
  return [...text.replaceAll(/\x1b\[\d+m/g, "")].length;
}

export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 999.5 && unit < units.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${unit === 0 || count >= 99.95 ? Math.round(count) : count.toFixed(1)} ${units[unit]}`;
}

/** Parameters and the like: 135 M, 1.7 B. */
export function count(number: number): string {
  const units = ["", " k", " M", " B"];
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
