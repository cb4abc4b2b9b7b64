// Which drafters, rules, engines and settings go together.
import type { Engine } from "../backend.ts";
import type { Drafter } from "../drafter.ts";
import { HunchError } from "../errors.ts";
import type { VerificationRule } from "../rule.ts";
import type { Sampling } from "../sampling.ts";

/**
 * What makes a rule unable to judge a drafter, in a few words; undefined where they fit. Without a sampling: the laws
 * that the drafter has now.
 */
export function pairFault(drafter: Drafter, rule: VerificationRule, sampling?: Sampling): string | undefined {
  const then = sampling && drafter.lawsAt?.(sampling);
  const foreign = (then ?? drafter.laws).filter((law) => !rule.laws.includes(law));
  if (foreign.length === 0) return undefined;
  const shape = drafter.shape === undefined ? "" : ` with the shape ${drafter.shape}`;
  const when = then === undefined ? "" : ` at temperature ${sampling?.temperature}`;
  const law = foreign.join(" or ");
  return `the rule ${rule.name} cannot judge drafts of law ${law}, which ${drafter.name} draws${shape}${when}`;
}

/** Whether a rule has an effect and a meaning with this sampling; where not, `refuseImpossible` says why. */
export function worksAt({ lossless, greedy, verifyGreedily }: VerificationRule, { temperature }: Sampling): boolean {
  return temperature > 0 ? !greedy : lossless || verifyGreedily !== undefined;
}

/**
 * Throws HunchError where the choice of methods cannot keep its promise. To be called after `drafter.begin`, from when
 * on a drafter names only the laws of this text.
 */
export function refuseImpossible(
  { engine, drafter, rule, sampling, strict = true }: {
    readonly engine: Engine;
    readonly drafter: Drafter;
    readonly rule: VerificationRule;
    readonly sampling: Sampling;
    readonly strict?: boolean;
  },
): void {
  const fault = pairFault(drafter, rule, sampling);
  if (fault !== undefined) throw new HunchError("usage", fault);
  if (rule.greedy && sampling.temperature > 0) {
    throw new HunchError(
      "usage",
      `the rule ${rule.name} takes the likeliest token and cannot sample at temperature ${sampling.temperature}`,
      { hint: "use temperature 0, or a rule that samples such as match or token" },
    );
  }
  if (!rule.lossless && rule.verifyGreedily === undefined && sampling.temperature === 0) {
    throw new HunchError(
      "usage",
      `the relaxed rule ${rule.name} has no effect at temperature 0, where it would keep what greedy keeps`,
      { hint: "set a temperature such as 0.8, or use the rule greedy" },
    );
  }
  const inside = [drafter, rule].find(({ taps = [] }) => taps.length > 0);
  if (inside !== undefined && !engine.can.taps) {
    throw new HunchError("unavailable", `${engine.name} gives no hidden states to ${inside.name}`, {
      hint: "use another backend, such as onnx or webgpu",
    });
  }
  if (strict && drafter.laws.length > 0 && engine.can.exact === "none") {
    throw new HunchError(
      "unavailable",
      `${engine.name} does not promise the same text with ${drafter.name} as without`,
      { hint: "allow other words at near-ties (--no-strict), or use no drafter" },
    );
  }
}
