// Where a number was measured: without that it says nothing.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { VERSION } from "../version.ts";

export interface Machine {
  readonly processor: string;
  /** Instruction sets that decide which kernels are fast; empty where the system does not say. */
  readonly features: readonly string[];
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly runtime: string;
  /** Version, and commit where it is known. */
  readonly hunch: string;
}

export function machine(): Machine {
  const source = commit();
  const runtime = "Deno" in globalThis ? "Deno" : "Bun";
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    features: features(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    runtime: `${runtime} ${process.versions[runtime.toLowerCase()] ?? ""}`.trim(),
    hunch: source === "" ? VERSION : `${VERSION} (${source})`,
  };
}

/** Names and values, for people. */
export function machineFacts(about: Machine): [name: string, value: string][] {
  const features = about.features.length > 0 ? ` (${about.features.join(", ")})` : "";
  return [
    ["processor", about.processor + features],
    ["cores", String(about.cores)],
    ["memory", `${about.memoryGiB} GiB`],
    ["system", about.system],
    ["runtime", about.runtime],
    ["hunch", about.hunch],
  ];
}

function features(): string[] {
  let flags: string[];
  try {
    flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" ") ?? [];
  } catch {
    return [];
  }
  return ["avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8"].filter((name) => flags.includes(name));
}

/** Of the source tree, with `-dirty` where it was changed since; what scripts/build.ts has put here in a binary. */
function commit(): string {
  if (process.env.HUNCH_COMMIT !== undefined) return process.env.HUNCH_COMMIT;
  const here = new URL(".", import.meta.url);
  if (here.protocol !== "file:") return "";
  const { stdout, status } = spawnSync("git", ["-C", fileURLToPath(here), "describe", "--always", "--dirty"]);
  return status === 0 ? String(stdout).trim() : "";
}

/** Most memory that this process has had, in MiB. */
export function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/**
 * Milliseconds for which this thread was ready and no core was free, since it began: 0 on a quiet machine. Undefined where
 * the system does not tell; Linux does.
 */
export function waitedMs(): number | undefined {
  try {
    const [, waited] = readFileSync("/proc/self/schedstat", "utf8").split(" ");
    return Number(waited) / 1e6;
  } catch {
    return undefined;
  }
}

/** The command that is running, as it would be typed. */
export function commandLine(): string {
  const words = process.argv.slice(2).map((word) =>
    /^[\w.,:/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
  );
  return ["hunch", ...words].join(" ");
}
