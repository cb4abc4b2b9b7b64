// Before anything is measured everybody has answered something: methods are made, models are loaded, caches are warm.
import { type FailureKind, HunchError } from "../../src/errors.ts";
import { warn } from "../output/streams.ts";
import type { Setting } from "./settings.ts";
import type { Stand } from "./stand.ts";

const TASK = {
  id: "warm-up",
  kind: "warm-up",
  text: "Once upon a time there was a small house. Once upon a time there was",
};

/** What a method says that does not go with the others, or with what this engine can do. */
const REFUSALS: readonly FailureKind[] = ["usage", "unavailable"];

/** Enough for every part to have run once. */
const TOKENS = 8;

/**
 * The settings that can run. What was asked for as a product has pairs that do not go together, or not with this engine:
 * each is told and left out; so is, untold, who would begin when it is `late`. Throws the first refusal where nothing but plain decoding is left, and what is wrong with plain decoding itself.
 */
export async function workingSettings(
  stand: Stand,
  settings: readonly Setting[],
  progress: (step: string, fraction: number) => void,
  tell: (text: string) => void = warn,
  late: () => boolean = () => false,
): Promise<Setting[]> {
  const prompt = await stand.prompt(TASK);
  const working: Setting[] = [];
  const refusals: HunchError[] = [];
  for (const [i, setting] of settings.entries()) {
    if (i > 1 && late()) break;
    progress("warming up", i / settings.length);
    try {
      await stand.answer(setting, prompt, TOKENS);
      working.push(setting);
    } catch (error) {
      if (!(error instanceof HunchError) || !REFUSALS.includes(error.kind) || i === 0) throw error;
      refusals.push(error);
      if (settings.length > 2) tell(`${setting.name} is left out: ${error.line}`);
    }
  }
  if (working.length === 1 && refusals.length > 0) throw refusals[0];
  return working;
}
