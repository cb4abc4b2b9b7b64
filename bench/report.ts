// What every benchmark prints: where it ran, and each measurement as a median with its spread.
import { loadavg } from "node:os";
import process from "node:process";
import { machine, machineFacts } from "../cli/bench/machine.ts";
import { quantile } from "../cli/bench/statistics.ts";

/** Median and quartiles of at least one number. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function spread(values: readonly number[]): Spread {
  return { low: quantile(values, 0.25), median: quantile(values, 0.5), high: quantile(values, 0.75) };
}

/** `12.3 (11.9–13.0)`: the median and the middle half. */
export function show({ low, median, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** Ratios of measurements taken side by side: each of ours over the one beside it. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, i) => value / theirs[i]);
}

/** As the benchmark begins: the commit may change while it runs. */
const WHERE = machineFacts(machine());
/** Processes that wanted a processor in the minute before. */
const COMPANY = loadavg()[0].toFixed(1);

/** Processor, cores, memory, versions, the day and the command, as Markdown; the head of every report. */
export function host(versions: Record<string, string> = {}): string {
  const lines = [
    ...WHERE,
    ...Object.entries(versions),
    ["measured", `${new Date().toISOString().slice(0, 16).replace("T", " ")}, load before ${COMPANY}`],
    ["command", `npm run bench -- ${process.argv.slice(2).filter((word) => word !== "--docs").join(" ")}`],
  ];
  return lines.map(([name, value]) => `- ${name}: ${value}`).join("\n");
}

/** A Markdown table. Every row has as many cells as `head`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line)].join("\n");
}
