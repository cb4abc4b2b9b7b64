// What somebody probably meant: the nearest of the known names.

/** The name nearest to `word`, if it is near enough to be meant; of equally near ones the first. Never `word` itself. */
export function closest(word: string, names: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const name of names) {
    const far = distance(typed, name.toLowerCase());
    if (far < least && name !== word) {
      least = far;
      best = name;
    }
  }
  return best;
}

/**
 * The hint for a word that is none of `names`: the nearest of them, with `before` in front, or else `otherwise`, by default
 * all names.
 */
export function suggestion(
  word: string,
  names: readonly string[],
  { before = "", otherwise = names.length > 0 ? `there are ${names.join(", ")}` : "" } = {},
): string {
  const near = closest(word, names);
  return near === undefined ? otherwise : `did you mean ${before}${near}?`;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        next[j] = Math.min(next[j], above[j - 2] + 1);
      }
    }
    above = row;
    row = next;
  }
  return row[b.length];
}
