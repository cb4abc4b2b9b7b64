// Options of a generation for tests, with what a test does not care about filled in.
import { none } from "../../plugins/drafters/none.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { SeededChance } from "../../src/chance.ts";
import type { GenerateOptions } from "../../src/round/generate.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";

type Given = Partial<Omit<GenerateOptions, "sampling" | "prompt">> & {
  readonly engine: GenerateOptions["engine"];
  readonly sampling?: Partial<Sampling>;
  readonly prompt?: ArrayLike<number>;
  readonly seed?: number;
};

export function optionsOf({ sampling, prompt = [1, 2, 3], seed = 1, ...rest }: Given): GenerateOptions {
  return {
    drafter: none,
    rule: greedy,
    controller: fixed(6),
    chance: new SeededChance(seed),
    maxTokens: 60,
    prompt: Int32Array.from(prompt),
    sampling: { ...GREEDY, ...sampling },
    ...rest,
  };
}
