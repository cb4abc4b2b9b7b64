// What a pass costs: a few real passes on this machine, straight lines between them.
import type { Engine } from "../src/backend.ts";

/** A measured width and the milliseconds of a pass over so many rows. */
export interface CostPoint {
  readonly width: number;
  readonly ms: number;
}

/** Costs as they were measured. */
export interface MeasuredPoints {
  readonly points: CostPoint[];
  /**
   * By how much of the fastest pass the median one was slower, for the width in the middle: 0 where nothing else ran, or
   * where each width was run once.
   */
  readonly disturbed: number;
}

/** Milliseconds of one row from which on waiting for exact numbers costs more than they save. */
const SLOW = 250;

/**
 * Runs passes of each width after `past` rows and takes the fastest of each: what is slower was disturbed. Widths are
 * taken in turns, so that a disturbance does not fall on one of them alone. Where a row is slow, only the first, the
 * middle and the last width are run, once, and after nothing.
 */
export async function measureCost(
  engine: Engine,
  widths: readonly number[],
  { past, repeats, progress, clock = () => performance.now() }: {
    readonly past: number;
    readonly repeats: number;
    readonly progress?: (step: string, fraction: number) => void;
    /** Milliseconds. */
    readonly clock?: () => number;
  },
): Promise<MeasuredPoints> {
  const sequence = engine.open();
  const times = new Map(widths.map((width) => [width, [] as number[]]));
  const vocab = engine.source.spec.vocab;
  const token = (i: number) => (i * 7919 + 13) % vocab;
  const run = async (width: number) => {
    const tokens = Int32Array.from({ length: width }, (_, i) => token(i + width));
    const start = clock();
    await sequence.forward({ tokens, need: "argmax" });
    return clock() - start;
  };
  let taken = widths;
  try {
    await run(widths[0]); // what is made when it is first needed does not count
    if (await run(widths[0]) > SLOW) {
      taken = [...new Set([widths[0], widths[widths.length >> 1], widths[widths.length - 1]])];
      repeats = 1;
    } else if (past > 0) {
      const tokens = Int32Array.from({ length: past }, (_, i) => token(i));
      await sequence.forward({ tokens, score: "last", need: "argmax" });
      sequence.keep(Int32Array.from(tokens.keys()));
    }
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const [i, width] of taken.entries()) {
        times.get(width)!.push(await run(width));
        progress?.("calibrating", (repeat + (i + 1) / taken.length) / repeats);
      }
    }
  } finally {
    sequence.close();
  }
  // More rows never take less time: where they seem to, the fewer were disturbed.
  let least = Infinity;
  const points = taken.toReversed().map((width) => ({ width, ms: least = Math.min(least, ...times.get(width)!) }));
  const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const disturbed = middle(taken.map((width) => middle(times.get(width)!) / Math.min(...times.get(width)!) - 1));
  return { points: points.reverse(), disturbed };
}

/** Milliseconds of many passes, of which `widths[n]` have n rows. */
export function passesCost(widths: Readonly<Record<number, number>>, cost: (rows: number) => number): number {
  return Object.entries(widths).reduce((ms, [rows, count]) => ms + count * cost(Number(rows)), 0);
}

/** Milliseconds of a pass over `width` rows; beyond the widest measurement, the last slope goes on. NaN without any. */
export function interpolateCost(points: readonly CostPoint[], width: number): number {
  if (points.length === 0) return NaN;
  if (points.length === 1 || width <= points[0].width) return points[0].ms;
  let above = points.findIndex((point) => point.width >= width);
  if (above < 0) above = points.length - 1;
  const [low, high] = [points[above - 1], points[above]];
  return low.ms + (high.ms - low.ms) * (width - low.width) / (high.width - low.width);
}
