// hunch claims: published claims, put to the test.
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import { claimsOptions } from "../claims/options.ts";

export const claimsCommand = command("claims", claimsOptions, {
  brief: message`Which published claims hold on this model and machine?`,
  description:
    message`Small experiments, each with the published figure, ours, and whether the claim holds: about rules on drawn distributions, exactly or by drawing, and about drafters on this model, by tokens per pass and the cost of passes.`,
}).map((options) => async (): Promise<number> => (await import("../claims/claims.ts")).claims(options));
