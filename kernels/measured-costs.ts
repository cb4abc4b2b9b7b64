// What passes of an engine cost: measured once for a machine, model and way of running, and kept in the cache folder.
import type { Engine } from "../src/backend.ts";
import type { WeightFormat } from "../src/weight-format.ts";
import { type Measured, readCalibration, writeCalibration } from "./calibration.ts";
import { type CostPoint, interpolateCost, measureCost } from "./cost.ts";

/** Widths that are measured, and the text they are measured after. */
export const WIDTHS: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const PAST = 128;
const REPEATS = 3;
/** The machine was busy where the median pass took so much longer than the fastest of its width. */
const BUSY = 0.15;
/** What was measured on a busy machine is measured again at the next start, until it was so often. */
const MOST = 3;

/** Where measured costs are kept. */
export interface Calibration {
  /** "": nowhere. */
  readonly cacheDir: string;
  readonly measured: Measured;
  readonly progress?: (step: string, fraction: number) => void;
  /** Milliseconds; what tests replace. */
  readonly clock?: () => number;
}

export class MeasuredCosts {
  #points: readonly CostPoint[] = [];
  /** Measured by this start. */
  #fresh = false;

  constructor(private readonly calibration: Calibration) {}

  /** Milliseconds of a pass over `width` rows; NaN before `calibrate`. */
  of(width: number): number {
    return interpolateCost(this.#points, width);
  }

  /** Milliseconds of a plain pass in another weight format, where that was measured; else NaN. */
  plain(format: WeightFormat): number {
    const { cacheDir, measured } = this.calibration;
    return interpolateCost(readCalibration(cacheDir, { ...measured, format })?.points ?? [], 1);
  }

  /**
   * Reads what is kept, or measures `widths` on `engine` and keeps that. What was measured on a busy machine is good until
   * the next start; measured anew on one that is busy again, the faster time of each width is kept.
   */
  async calibrate(engine: Engine, widths = WIDTHS): Promise<void> {
    const { cacheDir, measured, progress, clock } = this.calibration;
    const kept = cacheDir ? readCalibration(cacheDir, measured) : undefined;
    if (kept && (this.#fresh || kept.busy === 0 || kept.busy >= MOST)) {
      this.#points = kept.points;
      return;
    }
    const fitting = widths.filter((width) => width <= engine.context);
    const past = Math.min(PAST, engine.context - fitting[fitting.length - 1]);
    const { points, disturbed } = await measureCost(engine, fitting, { past, repeats: REPEATS, progress, clock });
    const busy = disturbed > BUSY ? (kept?.busy ?? 0) + 1 : 0;
    this.#points = busy > 0 && kept ? faster(points, kept.points) : points;
    this.#fresh = true;
    if (cacheDir) writeCalibration(cacheDir, measured, { points: this.#points, busy });
  }
}

/** Each width's lesser time, where both have it. */
function faster(points: readonly CostPoint[], others: readonly CostPoint[]): CostPoint[] {
  const known = new Map(others.map(({ width, ms }) => [width, ms]));
  return points.map(({ width, ms }) => ({ width, ms: Math.min(ms, known.get(width) ?? ms) }));
}
