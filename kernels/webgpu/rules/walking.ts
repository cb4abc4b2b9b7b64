// Rules that walk down the draft from the root and put the drafts of each place to trial, one after the other.
import { type Distribution, massWithout, point, probability, ROUNDING } from "../../../src/math/distribution.ts";
import { addUp } from "../../../src/math/sum.ts";
import type { DraftLaw } from "../../../src/tree.ts";
import type { Kernel } from "../device.ts";
import { kernelOf, Structure } from "../layout.ts";
import type { RuleOnDevice } from "./device-rule.ts";
import { factorsKernel, rowCode } from "./float64.ts";
import owedCode from "./owed.wgsl" with { type: "text" };
import { pack, placesOf, readWalk, type Trial, VERDICT_BYTES } from "./places.ts";
import walkCode from "./walk.wgsl" with { type: "text" };

/** What kernels that walk have in common. */
export const owedRows = rowCode + owedCode;

export const walkKernel = kernelOf("walk", owedRows + walkCode);
const SHAPE = new Structure(owedCode);

/** The drafts of one place, in their order. */
export interface Siblings {
  readonly law: DraftLaw;
  readonly drafts: readonly number[];
  /** Draft `i` as a token that was chosen, with all of q. */
  chosen(i: number): Trial;
  /** Draft `i` against q without the first `removed` drafts; undefined where nothing is left of q. */
  trial(i: number, removed: number): Trial | undefined;
}

/** A rule that walks. `trials`: what it puts one or more drafts to, as its TypeScript does; undefined: not on the device. */
export function walking(
  name: string,
  kernel: Kernel,
  trials: (siblings: Siblings) => readonly (Trial | undefined)[] | undefined,
): RuleOnDevice {
  return {
    name,
    parts: ["best", "probabilities"],
    kernels: [factorsKernel, kernel],
    upload({ tree, vocab }, uniforms) {
      const places = placesOf(tree, (drafts, drawn) => {
        const siblings = drafts.length > 0 && siblingsOf(tree.law, drafts, drawn ?? point(vocab, drafts[0]), vocab);
        return siblings ? trials(siblings)?.filter((one) => one !== undefined) : siblings === false ? [] : undefined;
      });
      if (places === undefined) return undefined;
      const { words, numbers, long } = pack(places, uniforms);
      return {
        words,
        numbers: [numbers, ...long],
        shape: SHAPE.pack({ vocab }),
        bytes: VERDICT_BYTES,
        read: (verdict) => readWalk(verdict, tree, places),
      };
    },
    record(run, { shape, probabilities, factors, drafted, numbers, work, verdict }, rows) {
      run(factorsKernel, [shape, probabilities, factors], rows);
      run(kernel, [shape, probabilities, factors, drafted, numbers, work, verdict], 1);
    },
  };
}

/** Undefined where `q`, which they were drawn from, is no distribution. */
function siblingsOf(law: DraftLaw, drafts: readonly number[], q: Distribution, vocab: number): Siblings | undefined {
  if (!usable(q, vocab)) return undefined;
  const all = addUp(q.probabilities, 1);
  const sum = massWithout(q, [], all);
  if (!(sum > 0 && sum < Infinity)) return undefined; // TypeScript says what is wrong
  return {
    law,
    drafts,
    chosen: (i) => ({ token: drafts[i], q: point(vocab, drafts[i]), removed: 0, likelihood: 1, factor: 1 }),
    trial(i, removed) {
      const token = drafts[i];
      const gone = new Set(drafts.slice(0, removed));
      const left = massWithout(q, [...gone], all);
      if (!(left > 0)) return undefined;
      const factor = Math.abs(left - 1) <= ROUNDING ? 1 : 1 / left;
      return { token, q, removed, likelihood: gone.has(token) ? 0 : probability(q, token) * factor, factor };
    },
  };
}

/** Whether `d` is what a distribution should be, but for its sum. */
function usable(d: Distribution, vocab: number): boolean {
  const { tokens, probabilities } = d;
  if (d.vocab !== vocab || probabilities.length !== (tokens?.length ?? vocab)) return false;
  let signs = 0;
  const words = new Int32Array(probabilities.buffer, probabilities.byteOffset, 2 * probabilities.length);
  for (let i = 1; i < words.length; i += 2) signs |= words[i];
  return signs >= 0;
}
