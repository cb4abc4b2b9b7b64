// How fast the target would decode its own texts with blocks left out of its drafts. Not a method of its own.
//
// One pass without the blocks over a text that is known says at every place what the draft would say there, and how sure it
// is. What drafts come to follows from that, and what they cost from passes that were timed. Rows of that pass see the
// target's keys and values of the beginning only, and each other's after it: as a draft that is as long as the text.
import type { Engine, Sequence, Skip } from "../../src/backend.ts";
import type { SelfText } from "./block-texts.ts";

/** Milliseconds. */
export interface PassCosts {
  /** A pass over one row, and over as many as are verified at most. */
  readonly one: number;
  readonly wide: number;
  /** What one block less saves of a pass over one row. */
  readonly attention: number;
  readonly feedForward: number;
}

export interface DraftLength {
  /** Most tokens of a draft, ≥ 1. */
  readonly most: number;
  /** A draft ends behind the first token that is less likely than this, 0 … 1. */
  readonly threshold: number;
}

const REPEATS = 5;

/** Times passes, the quickest of a few each, with `width` rows at most. */
export async function timePasses(engine: Engine, width: number): Promise<PassCosts> {
  const layers = Array.from(engine.source.spec.layers, (_, layer) => layer);
  const sequence = engine.open();
  const time = async (rows: number, skip?: Skip) => {
    let least = Infinity;
    for (let i = 0; i < REPEATS; i++) {
      const start = performance.now();
      await sequence.forward({ tokens: new Int32Array(rows), need: "argmax", skip });
      least = Math.min(least, performance.now() - start);
    }
    return least;
  };
  try {
    const one = await time(1);
    const saved = async (skip: Skip) => Math.max(0, one - await time(1, skip)) / Math.max(1, layers.length);
    return {
      one,
      wide: Math.max(one, await time(width)),
      attention: await saved({ attention: layers, feedForward: [] }),
      feedForward: await saved({ attention: [], feedForward: layers }),
    };
  } finally {
    sequence.close();
  }
}

/** What a draft would say at a place, once all before it stands. */
export interface Place {
  readonly right: boolean;
  /** The probability of what it says. */
  readonly sure: number;
}

/** Tokens a millisecond, were drafts to find these places, one after the other. */
export function draftingSpeed(
  places: readonly Place[],
  skip: Skip,
  costs: PassCosts,
  { most, threshold }: DraftLength,
): number {
  const step = costs.one - skip.attention.length * costs.attention - skip.feedForward.length * costs.feedForward;
  let [time, at] = [0, 0];
  while (at < places.length) {
    const reach = places.slice(at, at + most);
    const doubt = reach.findIndex(({ sure }) => sure < threshold);
    const drafted = doubt < 0 ? reach.length : doubt + 1;
    const wrong = reach.findIndex(({ right }) => !right);
    const accepted = wrong < 0 ? drafted : Math.min(wrong, drafted);
    time += drafted * step + costs.one + (costs.wide - costs.one) * drafted / most;
    at += accepted + 1;
  }
  return at / time;
}

/** Texts that the target wrote, each in a sequence that holds its beginning but the last token. */
export class KnownTexts {
  private constructor(private readonly texts: readonly (SelfText & { readonly sequence: Sequence })[]) {}

  static async open(engine: Engine, texts: readonly SelfText[]): Promise<KnownTexts> {
    const opened = [];
    for (const text of texts) {
      const sequence = engine.open();
      const tokens = text.prompt.slice(0, -1);
      if (tokens.length > 0) {
        await sequence.forward({ tokens, score: "last", need: "argmax" });
        sequence.keep(Int32Array.from(tokens, (_, row) => row));
      }
      opened.push({ ...text, sequence });
    }
    return new KnownTexts(opened);
  }

  /** The mean over the texts, tokens a millisecond. */
  async speed(skip: Skip, costs: PassCosts, length: DraftLength): Promise<number> {
    let sum = 0;
    for (const { prompt, answer, sequence } of this.texts) {
      const tokens = Int32Array.of(prompt[prompt.length - 1], ...answer.subarray(0, -1));
      const scores = await sequence.forward({ tokens, skip, need: "candidates" });
      const places = Array.from(answer, (token, row): Place => {
        const { tokens: [said], probabilities: [sure] } = scores.top(row, 1);
        return { right: said === token, sure };
      });
      sum += draftingSpeed(places, skip, costs, length);
    }
    return sum / this.texts.length;
  }

  close(): void {
    for (const { sequence } of this.texts) sequence.close();
  }
}
