// observe: whoever learns from rounds is told of this one, the drafter of every committed token.
import type { Controller, Round } from "../controller.ts";
import type { Drafter } from "../drafter.ts";

export async function observeRound(
  { drafter, controller }: { readonly drafter: Drafter; readonly controller: Controller },
  round: Round,
): Promise<void> {
  await drafter.observe(round);
  controller.observe(round);
}
