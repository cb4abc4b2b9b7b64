// For controllers that look at what a drafter itself finds likely, whatever the temperature and the truncation are.
import type { Plan } from "../controller.ts";
import type { Distribution } from "../math/distribution.ts";
import type { Proposer } from "../drafter.ts";
import { rawSampling, type Sampling } from "../sampling.ts";
import { truncate } from "../math/truncation.ts";

/** What `sampling`, of a temperature above 0, makes of a soft-max. */
export function tempered(raw: Distribution, sampling: Sampling): Distribution {
  const most = raw.probabilities.reduce((a, b) => Math.max(a, b), 0);
  const probabilities = new Float64Array(raw.probabilities.length);
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) {
    sum += probabilities[i] = (raw.probabilities[i] / most) ** (1 / sampling.temperature);
  }
  for (let i = 0; i < probabilities.length; i++) probabilities[i] /= sum;
  return truncate({ ...raw, probabilities }, sampling);
}

/** What a shape grows with, once the proposer is synced with `sync`. */
export interface Asked {
  readonly sync: Sampling;
  readonly proposer: Proposer;
  readonly plan: Plan;
}

/**
 * At temperature 0 a drafter that is sure of one token has nothing to branch to and nothing to tell, so it says what it
 * would at temperature 1, and every draw of the shape takes the likeliest. Where the plan asks for the soft-max itself,
 * the proposer says that, and the sampling is made of it here. A controller that asks is told the proposer's hidden states.
 */
export function ask(proposer: Proposer, plan: Plan, sampling: Sampling): Asked {
  const { goOn } = plan;
  const told = (raw: (q: Distribution) => Distribution): Plan =>
    goOn === undefined ? plan : { ...plan, goOn: (q, depth) => goOn(raw(q), depth, () => proposer.stateOf?.(raw(q))) };
  if (sampling.temperature === 0) return { sync: rawSampling(sampling), proposer, plan: told((q) => q) };
  if (plan.raw === undefined || goOn === undefined) return { sync: sampling, proposer, plan: told((q) => q) };
  const own = new Map<Distribution, Distribution>();
  const propose: Proposer["propose"] = async (nodes) =>
    (await proposer.propose(nodes)).map((raw) => {
      const q = tempered(raw, sampling);
      own.set(q, raw);
      return q;
    });
  return {
    sync: rawSampling(sampling),
    proposer: { vocab: proposer.vocab, sync: () => Promise.resolve(), propose },
    plan: told((q) => own.get(q)!),
  };
}

/** What `draw` makes of a proposer that stands at the end of `text`. Then the target's sequence is as it was. */
export async function drawn<T>(
  proposer: Proposer,
  text: Int32Array,
  sampling: Sampling,
  draw: () => Promise<T>,
): Promise<T> {
  try {
    await proposer.sync(text, sampling);
    return await draw();
  } finally {
    proposer.release?.();
  }
}
