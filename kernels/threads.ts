// How many threads compute where nobody says.
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Threads that share a core only wait for each other in matrix products. */
export function physicalCores(): number {
  const logical = availableParallelism();
  try {
    const siblings = readFileSync("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "utf8");
    const perCore = siblings.trim().split(/[,-]/).length;
    return Math.max(1, Math.floor(logical / perCore));
  } catch {
    return logical;
  }
}
