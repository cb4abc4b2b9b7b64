// What a pass costs: a few real passes on this machine, straight lines between them.
import type { Engine } from "../src/backend.ts";

/** A measured width and the milliseconds of a pass over so many rows. */
export interface CostPoint {
  readonly width: number;
  readonly ms: number;
}

/**
 * Runs passes of each width after `past` rows and takes the fastest of each: what is slower was disturbed. Widths are
 * taken in turns, so that a disturbance does not fall on one of them alone.
 */
export async function measureCost(
  engine: Engine,
  widths: readonly number[],
  { past, repeats, progress }: {
    readonly past: number;
    readonly repeats: number;
    readonly progress?: (step: string, fraction: number) => void;
  },
): Promise<CostPoint[]> {
  const sequence = engine.open();
  const best = new Map<number, number>();
  const vocab = engine.source.spec.vocab;
  const token = (i: number) => (i * 7919 + 13) % vocab;
  try {
    if (past > 0) {
      const tokens = Int32Array.from({ length: past }, (_, i) => token(i));
      await sequence.forward({ tokens, score: "last", need: "argmax" });
      sequence.keep(Int32Array.from(tokens.keys()));
    }
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const [i, width] of widths.entries()) {
        const tokens = Int32Array.from({ length: width }, (_, i) => token(i + width));
        const start = performance.now();
        await sequence.forward({ tokens, need: "argmax" });
        const ms = performance.now() - start;
        best.set(width, Math.min(best.get(width) ?? Infinity, ms));
        progress?.("calibrating", (repeat + (i + 1) / widths.length) / repeats);
      }
    }
  } finally {
    sequence.close();
  }
  // More rows never take less time: where they seem to, the fewer were disturbed.
  let least = Infinity;
  return widths.toReversed().map((width) => ({ width, ms: least = Math.min(least, best.get(width)!) })).toReversed();
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
