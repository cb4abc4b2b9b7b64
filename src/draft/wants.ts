// What drafters that are asked together want of a pass together.
import type { Drafter, Proposer } from "../drafter.ts";
import type { Tap } from "../backend.ts";

type Wants = Pick<Drafter, "candidates" | "taps" | "observePrompt" | "attach">;

/** Proposers want the sequence alone. */
export function wantsOf(drafters: readonly (Wants | Proposer)[]): Wants {
  const wants: readonly Wants[] = drafters;
  const candidates = wants.flatMap((drafter) => drafter.candidates ?? []);
  const taps = new Set(wants.flatMap((drafter): readonly Tap[] => drafter.taps ?? []));
  const attached = wants.filter((drafter) => drafter.attach !== undefined);
  const told = wants.filter((drafter) => drafter.observePrompt !== undefined);
  return {
    candidates: candidates.length > 0 ? Math.max(...candidates) : undefined,
    taps: taps.size > 0 ? [...taps] : undefined,
    attach: attached.length === 0 ? undefined : (target) => attached.forEach((drafter) => drafter.attach?.(target)),
    observePrompt: told.length === 0 ? undefined : async (from, rows, states) => {
      for (const drafter of told) await drafter.observePrompt?.(from, rows, states);
    },
  };
}
