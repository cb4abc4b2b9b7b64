// What every benchmark prints: where it ran, and each measurement as a median with its spread.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import process from "node:process";

/** Median and quartiles of at least one number. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number) => {
    const place = fraction * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
  };
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** `12.3 (11.9–13.0)`: the median and the middle half. */
export function show({ low, median, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** Ratios of measurements taken side by side: each of ours over the one beside it. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, i) => value / theirs[i]);
}

/** Processor, cores, memory, versions and the command, as Markdown; the head of every report. */
export function host(versions: Record<string, string> = {}): string {
  const runtime = "Deno" in globalThis ? "Deno" : "Bun";
  const lines = [
    ["processor", `${cpus()[0]?.model.trim() || process.arch}${features()}`],
    ["cores", String(availableParallelism())],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ["system", `${process.platform} ${process.arch}`],
    ["runtime", `${runtime} ${process.versions[runtime.toLowerCase()] ?? ""}`.trim()],
    ...Object.entries(versions),
    ["command", `npm run bench -- ${process.argv.slice(2).join(" ")}`],
  ];
  return lines.map(([name, value]) => `- ${name}: ${value}`).join("\n");
}

/** What decides which kernels are fast; empty where the system does not say. */
function features(): string {
  let flags: string[];
  try {
    flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" ") ?? [];
  } catch {
    return "";
  }
  const wanted = ["avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8"].filter((name) => flags.includes(name));
  return wanted.length > 0 ? ` (${wanted.join(", ")})` : "";
}

/** A Markdown table. Every row has as many cells as `head`. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line)].join("\n");
}
