// What passes of an engine cost: measured once for a machine, model and way of running, and kept in the cache folder.
import type { Engine } from "../src/backend.ts";
import type { WeightFormat } from "../src/weight-format.ts";
import { type Measured, readCalibration, writeCalibration } from "./calibration.ts";
import { type CostPoint, interpolateCost, measureCost } from "./cost.ts";

/** Widths that are measured, and the text they are measured after. */
export const WIDTHS: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
const PAST = 128;
const REPEATS = 3;

/** Where measured costs are kept. */
export interface Calibration {
  /** "": nowhere. */
  readonly cacheDir: string;
  readonly measured: Measured;
  readonly progress?: (step: string, fraction: number) => void;
}

export class MeasuredCosts {
  #points: readonly CostPoint[] = [];

  constructor(private readonly calibration: Calibration) {}

  /** Milliseconds of a pass over `width` rows; NaN before `calibrate`. */
  of(width: number): number {
    return interpolateCost(this.#points, width);
  }

  /** Milliseconds of a plain pass in another weight format, where that was measured; else NaN. */
  plain(format: WeightFormat): number {
    const { cacheDir, measured } = this.calibration;
    return interpolateCost(readCalibration(cacheDir, { ...measured, format }) ?? [], 1);
  }

  /** Reads what is kept, or measures `widths` on `engine` and keeps that. */
  async calibrate(engine: Engine, widths = WIDTHS): Promise<void> {
    const { cacheDir, measured, progress } = this.calibration;
    const known = cacheDir ? readCalibration(cacheDir, measured) : undefined;
    if (known) {
      this.#points = known;
      return;
    }
    const fitting = widths.filter((width) => width <= engine.context);
    const past = Math.min(PAST, engine.context - fitting[fitting.length - 1]);
    this.#points = await measureCost(engine, fitting, { past, repeats: REPEATS, progress });
    if (cacheDir) writeCalibration(cacheDir, measured, this.#points);
  }
}
