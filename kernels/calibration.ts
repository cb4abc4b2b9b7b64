// Measured costs, kept per machine, model and way of running.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import type { WeightFormat } from "../src/weight-format.ts";
import { damaged, Fields, isWhole } from "../src/fields.ts";
import { writeOutput } from "../src/output-file.ts";
import type { CostPoint } from "./cost.ts";

/** Everything that a measured time depends on. */
export interface Measured {
  readonly model: string; // hash of the file
  readonly format: WeightFormat;
  readonly provider: string;
  readonly threads: number;
  readonly strict: boolean;
}

const VERSION = 4;

/** What a time depends on of the machine. */
export function machine(): string {
  return `${process.platform} ${process.arch} ${cpus()[0]?.model} ${cpus().length}`;
}

function pathOf(cacheDir: string, { model, format, provider, threads, strict }: Measured): string {
  const key = JSON.stringify([VERSION, machine(), model, format, provider, threads, strict]);
  return join(cacheDir, "calibrations", createHash("sha256").update(key).digest("hex").slice(0, 24) + ".json");
}

/** Costs as they are kept. */
export interface Kept {
  readonly points: readonly CostPoint[];
  /** How often they were measured while the machine was busy, each time; 0 where it was not. */
  readonly busy: number;
}

/** Undefined where nothing was measured, or the file is not what it should be. */
export function readCalibration(cacheDir: string, measured: Measured): Kept | undefined {
  const file = pathOf(cacheDir, measured);
  try {
    const fields = Fields.of(JSON.parse(readFileSync(file, "utf8")), (must, field) => damaged(file, must, field));
    let least = 1;
    const { busy = 0 } = fields.values;
    fields.need(isWhole(busy, 0, Infinity), "busy", "a count");
    const points = fields.each("points", (point): CostPoint => {
      const width = point.required("width", "number");
      const ms = point.required("ms", "number");
      point.need(isWhole(width, least, Infinity), "width", "whole, and more than the one before");
      point.need(ms > 0 && ms < Infinity, "ms", "a time");
      least = width + 1;
      return { width, ms };
    });
    return { points, busy: Number(busy) };
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written costs a measurement the next time, nothing else. */
export function writeCalibration(cacheDir: string, measured: Measured, { points, busy }: Kept): void {
  try {
    writeOutput(pathOf(cacheDir, measured), JSON.stringify({ ...measured, points, busy }), { folders: true });
  } catch {
    return;
  }
}
