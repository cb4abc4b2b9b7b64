// Sampling from options and from requests, which name the same things.
import { HunchError } from "../src/errors.ts";
import { checkSampling, GREEDY, type Sampling } from "../src/sampling.ts";

/** What may be left out, is off; the temperature is then 0: the likeliest token, always the same answer. */
export type SamplingChoice = { readonly [K in keyof Sampling]?: Sampling[K] };

/** Throws HunchError("usage") where a number is out of its range, or has no effect and so cannot be meant. */
export function samplingOf(choice: SamplingChoice): Sampling {
  const given = Object.entries(choice).filter(([name, value]) => value !== undefined && Object.hasOwn(GREEDY, name));
  const sampling: Sampling = { ...GREEDY, ...Object.fromEntries(given) };
  checkSampling(sampling);
  const idle = given.find(([name]) => name === "topK" || name === "topP" || name === "minP" || name === "typical");
  if (sampling.temperature === 0 && idle) {
    throw new HunchError(
      "usage",
      `${optionName(idle[0])} has no effect at temperature 0, where the likeliest token is always taken`,
      {},
      "add --temperature 0.8, or leave it out",
    );
  }
  return sampling;
}

function optionName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The seed as given, or a fresh one, so that every answer can be had again. */
export function seedOf(given: string | undefined): string {
  return given ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
}
