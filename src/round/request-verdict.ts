// Whether an engine can judge a draft in place of the rule, and what it is asked for.
import type { Capabilities } from "../backend.ts";
import type { Stream } from "../chance.ts";
import { mostUniforms, type VerifyRequest } from "../device-rule.ts";
import { truncates } from "../math/truncation.ts";
import type { VerificationRule } from "../rule.ts";
import { penalises, type Sampling } from "../sampling.ts";
import type { DraftTree } from "../tree.ts";

/**
 * What to ask an engine for, so that it judges in place of the rule; undefined where it cannot, or where the sampling
 * distribution is not its own soft-max or arg-max. Spends nothing: `Verified.used` tells how many numbers were taken.
 */
export function requestVerdict(
  { device, greedy: likeliest }: VerificationRule,
  tree: DraftTree,
  sampling: Sampling,
  can: Capabilities,
  chance: Stream,
): VerifyRequest | undefined {
  if (device === undefined || !can.deviceRules.includes(device.name)) return undefined;
  const greedy = sampling.temperature === 0;
  if (penalises(sampling) || (likeliest === true) !== greedy || (!greedy && truncates(sampling))) {
    return undefined;
  }
  return { rule: device, tree, uniforms: chance.peek(mostUniforms(tree)) };
}
