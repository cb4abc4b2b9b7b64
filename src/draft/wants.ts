// What drafters that are asked together want of a pass together.
import type { Drafter } from "../drafter.ts";

export function wantsOf(drafters: readonly Drafter[]): Pick<Drafter, "candidates" | "observePrompt"> {
  const candidates = drafters.flatMap((drafter) => drafter.candidates ?? []);
  const told = drafters.filter((drafter) => drafter.observePrompt !== undefined);
  return {
    candidates: candidates.length > 0 ? Math.max(...candidates) : undefined,
    observePrompt: told.length === 0 ? undefined : async (from, rows) => {
      for (const drafter of told) await drafter.observePrompt?.(from, rows);
    },
  };
}
