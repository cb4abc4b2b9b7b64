// What a pass of the reference engine costs: a few real passes, straight lines between them.
import type { Engine } from "../../src/backend.ts";

/** Milliseconds of a pass over so many rows. */
export type CostCurve = (width: number) => number;

const WIDTHS = [1, 2, 4, 8];
const REPEATS = 3;

/** Runs each width a few times on an empty sequence and takes the median. */
export async function measureCost(
  engine: Engine,
  progress?: (step: string, fraction: number) => void,
): Promise<CostCurve> {
  const sequence = engine.open();
  const points: { width: number; ms: number }[] = [];
  try {
    for (const width of WIDTHS.filter((width) => width <= engine.maxRows)) {
      const times: number[] = [];
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const start = performance.now();
        await sequence.forward({ tokens: new Int32Array(width) });
        times.push(performance.now() - start);
      }
      points.push({ width, ms: times.sort((a, b) => a - b)[REPEATS >> 1] });
      progress?.("calibrating", points.length / WIDTHS.length);
    }
  } finally {
    sequence.close();
  }
  return (width) => interpolate(points, width);
}

/** Beyond the widest measurement in proportion: rows are computed one by one. */
function interpolate(points: readonly { width: number; ms: number }[], width: number): number {
  const last = points[points.length - 1];
  if (width >= last.width) return last.ms * width / last.width;
  const above = points.findIndex((point) => point.width >= width);
  if (above <= 0) return points[0].ms;
  const [low, high] = [points[above - 1], points[above]];
  return low.ms + (high.ms - low.ms) * (width - low.width) / (high.width - low.width);
}
