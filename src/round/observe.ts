// observe: whoever learns from rounds is told of this one, the drafter of every committed token.
import type { Round } from "../controller.ts";
import type { GenerateOptions } from "../generation.ts";

export async function observeRound(
  { drafter, controller }: Pick<GenerateOptions, "drafter" | "controller">,
  round: Round,
): Promise<void> {
  await drafter.observe(round);
  controller.observe(round);
}
