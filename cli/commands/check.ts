// hunch check: is a rule lossless, and how much of a draft does it keep?
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { HunchError } from "../../src/errors.ts";
import { checkOptions } from "../check/options.ts";

export const checkCommand = command("check", checkOptions, {
  brief: message`Prove that a rule is lossless, by following every branch of chance.`,
  description:
    message`Draws random and adversarial cases, runs the rule through all that chance can do, and compares what comes out with the target's own distribution. The exit code is 6 where a rule that claims to be lossless is not.`,
}).map((options) => async (): Promise<number> => {
  const { isWatched, watched } = await import("../check/watched.ts");
  if (options.plugins.length > 0 && !isWatched()) return await watched(options.timeout);
  const shape = options.shapes.length > 0 ? "--shape" : undefined;
  const drafter = options.drafters.length > 0 ? "--drafter" : undefined;
  const instead = options.chiSquare ? "--chi-square" : options.bound ? "--bound" : shape ?? drafter;
  if (options.case !== undefined && instead !== undefined) {
    throw new HunchError("usage", `--case is for rules, and ${instead} does not look at it`, { hint: "leave out one" });
  }
  if (options.chiSquare) return await (await import("../check/chi-square.ts")).checkChiSquare(options);
  if (options.bound) return await (await import("../check/bound.ts")).checkBound(options);
  if (shape !== undefined) return await (await import("../check/shapes.ts")).checkShapes(options);
  if (drafter !== undefined) return await (await import("../check/drafters.ts")).checkDrafters(options);
  return await (await import("../check/check.ts")).check(options);
});
