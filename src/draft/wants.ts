// What drafters that are asked together want of a pass together.
import type { Drafter } from "../drafter.ts";
import type { Tap } from "../backend.ts";

export function wantsOf(
  drafters: readonly Drafter[],
): Pick<Drafter, "candidates" | "taps" | "observePrompt" | "attach"> {
  const candidates = drafters.flatMap((drafter) => drafter.candidates ?? []);
  const taps = new Set(drafters.flatMap((drafter): readonly Tap[] => drafter.taps ?? []));
  const attached = drafters.filter((drafter) => drafter.attach !== undefined);
  const told = drafters.filter((drafter) => drafter.observePrompt !== undefined);
  return {
    candidates: candidates.length > 0 ? Math.max(...candidates) : undefined,
    taps: taps.size > 0 ? [...taps] : undefined,
    attach: attached.length === 0 ? undefined : (target) => attached.forEach((drafter) => drafter.attach?.(target)),
    observePrompt: told.length === 0 ? undefined : async (from, rows, states) => {
      for (const drafter of told) await drafter.observePrompt?.(from, rows, states);
    },
  };
}
