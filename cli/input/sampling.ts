// Sampling from options and from requests, which name the same things.
import { HunchError } from "../../src/errors.ts";
import { checkSampling, GREEDY, type Sampling } from "../../src/sampling.ts";

/** What is left out is off; without a temperature it is 0: the likeliest token, always the same answer. */
export type SamplingChoice = { readonly [K in keyof Sampling]?: Sampling[K] };

/** How a person spells a setting that is `topK` here. */
type Spelling = (key: string) => string;

/** On the command line: `--top-k`. */
export const asOption: Spelling = (key) => `--${spelled(key, "-")}`;

/** In a request: `top_k`. */
export const asField: Spelling = (key) => spelled(key, "_");

function spelled(key: string, dash: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => dash + letter.toLowerCase());
}

/** Throws HunchError("usage") where a number is out of its range. */
export function samplingOf(choice: SamplingChoice, spelling: Spelling): Sampling {
  const given = Object.entries(choice).filter(([name, value]) => value !== undefined && Object.hasOwn(GREEDY, name));
  const sampling: Sampling = { ...GREEDY, ...Object.fromEntries(given) };
  checkSampling(sampling, spelling);
  return sampling;
}

/** Throws HunchError("usage") where something was asked for, and not to be off, that has no effect at this temperature. */
export function refuseIdle(
  choice: SamplingChoice & { readonly seed?: string },
  temperature: number,
  spelling: Spelling,
): void {
  const names = ["topK", "topP", "minP", "typical", "seed"] as const;
  const off = { ...GREEDY, seed: undefined };
  const idle = names.find((name) => choice[name] !== undefined && choice[name] !== off[name]);
  if (temperature !== 0 || idle === undefined) return;
  throw new HunchError(
    "usage",
    `${spelling(idle)} has no effect at temperature 0, where the likeliest token is always taken`,
    { hint: "set a temperature such as 0.8, or leave it out" },
  );
}

/** The seed as given, or a fresh one, so that every answer can be had again. */
export function seedOf(given: string | undefined): string {
  return given ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
}
