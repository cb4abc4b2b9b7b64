// Measurements as people read them.
import type { Row } from "./results.ts";
import type { Interval, Quartiles } from "./statistics.ts";

/** `12.3 (11.9–13.0)`: the median and its interval; `12.3 (range 11.9–13.0)` where there are too few for one, and `12.3` of one. */
export function intervalText({ low, median, high, range }: Interval, digits?: number): string {
  const of = digits ?? (median < 10 ? 2 : median < 100 ? 1 : 0);
  if (range && low === high) return median.toFixed(of); // one prompt
  return `${median.toFixed(of)} (${range ? "range " : ""}${low.toFixed(of)}–${high.toFixed(of)})`;
}

/** `12.30 (11.90–13.00)`: the median and the middle half. */
export function quartilesText({ low, median, high }: Quartiles, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** `1.52 (1.31–1.70)×`; empty of plain decoding. */
export function speedText({ speedup }: Row): string {
  return speedup === undefined ? "" : `${intervalText(speedup, 2)}×`;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)}%`;
}
