// Makes a failing case as small and as round as it can be while it still fails.
import { depthOf } from "../tree.ts";
import { scaled } from "./generate-cases.ts";
import { type Case, contextCount, contextTokens } from "./case.ts";

/** Most trials of `fails`; what was found until then is returned. */
const TRIALS = 3000;

/** The smallest case found for which `fails` still holds. It must hold for `start`. */
export function shrink(start: Case, fails: (smaller: Case) => boolean): Case {
  let best = start;
  let trials = 0;
  for (let changed = true; changed && trials < TRIALS;) {
    changed = false;
    for (const smaller of candidates(best)) {
      if (++trials > TRIALS) break;
      if (!fails(smaller)) continue;
      best = smaller;
      changed = true;
      break; // the candidates of a smaller case are fewer
    }
  }
  return best;
}

/** Smaller cases, the boldest steps first. */
function* candidates(of: Case): Generator<Case> {
  for (let place = of.parents.length - 1; place >= 0; place--) {
    if (of.parents.length > 1 && !of.parents.includes(place)) yield withoutPlace(of, place);
  }
  for (let token = of.vocab - 1; token >= 0 && of.vocab > 2; token--) {
    const smaller = withoutToken(of, token);
    if (smaller !== undefined) yield smaller;
  }
  if (of.sparse) yield { ...of, sparse: false };
  for (const which of ["p", "q"] as const) {
    const rows = of[which];
    if (rows.length > 1 && rows.some((row) => row.join() !== rows[0].join())) {
      yield { ...of, [which]: rows.map(() => rows[0]) };
    }
  }
  for (const which of ["p", "q"] as const) {
    for (let context = 0; context < of[which].length; context++) {
      for (const row of rounder(of[which][context], of[which][0])) {
        yield { ...of, [which]: of[which].map((old, i) => i === context ? row : old) };
      }
    }
  }
}

function withoutPlace(of: Case, place: number): Case {
  const parents = of.parents.filter((_, i) => i !== place).map((parent) => parent > place ? parent - 1 : parent);
  const depth = depthOf({ parents });
  return {
    ...of,
    parents,
    p: of.p.slice(0, contextCount(of.vocab, depth)),
    q: of.q.slice(0, contextCount(of.vocab, depth - 1)),
  };
}

/** Without a token; undefined where a row has nothing else. */
function withoutToken(of: Case, token: number): Case | undefined {
  const filtered = (rows: readonly (readonly number[])[]) =>
    rows.filter((_, context) => !contextTokens(context, of.vocab).includes(token))
      .map((row) => row.filter((_, t) => t !== token));
  const [p, q] = [filtered(of.p), filtered(of.q)];
  if ([...p, ...q].some((row) => !row.some((value) => value > 0))) return undefined;
  return { ...of, vocab: of.vocab - 1, p: p.map(scaled), q: q.map(scaled) };
}

/** Rows that are easier to read than `row`, the easiest first. */
function* rounder(row: readonly number[], first: readonly number[]): Generator<readonly number[]> {
  const largest = row.indexOf(Math.max(...row));
  const rows: (readonly number[])[] = [first, row.map((_, t) => t === largest ? 1 : 0), row.map(() => 1 / row.length)];
  for (const grid of [2, 4, 10, 100]) {
    // Rounded down to the grid, and what is missing goes to the largest.
    const rounded = scaled(row).map((value) => Math.floor(value * grid) / grid);
    rounded[largest] += 1 - rounded.reduce((a, b) => a + b, 0);
    rows.push(rounded.map((value) => Math.round(value * grid) / grid));
  }
  for (const candidate of rows) {
    if (candidate.join() === row.join()) return; // as easy as this already
    yield candidate;
  }
}
