// Plain tokens and passes of several engines or processes, in turns, so that a machine that gets busy or slower meets all
// of them alike.
import { median } from "../statistics.ts";

/** Plain tokens of a turn, the first of which do not count, and passes of each width, of which the first does not. */
export const PLAIN = { most: 24, warm: 4 } as const;
export const PASSES = { most: 5, warm: 1 } as const;

/** Milliseconds after which a turn goes on to what is next, if it has two times of this. */
export const LONG = 2000;

/** Tokens that a turn adds to what is in the cache, at most. */
export function needed(widths: readonly number[]): number {
  return Math.max(PLAIN.most, ...widths);
}

/** Who is measured: milliseconds one by one, up to PLAIN.most and PASSES.most of them. */
export interface Measurable {
  plain(): Promise<readonly number[]>;
  passes(rows: number): Promise<readonly number[]>;
}

/** Milliseconds, each the median of one turn. */
export interface Turns {
  readonly plain: readonly number[];
  /** By place in `widths`. */
  readonly passes: readonly (readonly number[])[];
}

/**
 * As many turns as were asked for, or those that were whole when `signal` came; the same number for everybody. `tell`: the
 * share that is done, 0…1.
 */
export async function inTurns(
  all: readonly Measurable[],
  widths: readonly number[],
  turns: number,
  { tell, signal }: { readonly tell?: (done: number) => void; readonly signal?: AbortSignal } = {},
): Promise<Turns[]> {
  const asked = [
    { of: (one: Measurable) => one.plain(), warm: PLAIN.warm },
    ...widths.map((width) => ({ of: (one: Measurable) => one.passes(width), warm: PASSES.warm })),
  ];
  const taken = all.map(() => asked.map(() => [] as number[]));
  for (let turn = 0; turn < turns; turn++) {
    const own = all.map(() => [] as number[]);
    for (const [at, { of, warm }] of asked.entries()) {
      for (const [i, one] of all.entries()) {
        await new Promise((resolve) => setTimeout(resolve)); // Ctrl-C is noticed between passes of the loop
        if (signal?.aborted) return taken.map(asTurns);
        own[i].push(settled(await of(one), warm));
        tell?.((turn + (at + (i + 1) / all.length) / asked.length) / turns);
      }
    }
    own.forEach((times, i) => times.forEach((ms, at) => taken[i][at].push(ms)));
  }
  return taken.map(asTurns);
}

const asTurns = ([plain, ...passes]: number[][]): Turns => ({ plain, passes });

/** The median without the first `warm`, as far as one is left. */
function settled(ms: readonly number[], warm: number): number {
  return median(ms.slice(Math.min(warm, ms.length - 1)));
}
