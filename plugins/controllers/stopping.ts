// Drafting that stops at a doubtful place. What confidence and entropy share; not a controller of its own.
import type { Controller } from "../../src/controller.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import type { OptionSpec } from "../../src/plugins/plugin.ts";

/**
 * At most `most` tokens. Stops before the first doubtful place, one token aside; `published`, as the papers do, behind
 * it: the doubtful token is drafted as well, and doubt is about the drafter's soft-max whatever the sampling is.
 */
export function stoppingAt(
  name: string,
  doubtful: (q: Distribution) => boolean,
  most: number,
  published: boolean,
): Controller {
  const limits = { nodes: most, depth: most };
  const plan = published
    ? { ...limits, raw: true as const, goOn: (q: Distribution) => doubtful(q) ? "last" as const : true }
    : { ...limits, goOn: (q: Distribution, depth: number) => depth === 1 || !doubtful(q) };
  return { name, plan: () => plan, observe() {} };
}

/** The option `published` of controllers that deviate from their papers. */
export function publishedOption(summary: string): OptionSpec<"boolean"> {
  return { type: "boolean", default: false, summary: `as in the paper: ${summary}` };
}
