// What the cases of the engine suite share: the engine under test, its texts, and how nearly two rows must agree.
import type { Engine, Rows, Scores, Sequence } from "../../backend.ts";
import { expectRefusal, expectThat } from "./case.ts";

/** What is known beforehand about the engine under test. */
export interface EngineExpectations {
  /** Scores that somebody else computed: row i of `logits` [tokens · vocab] follows tokens 0 … i of one text. */
  readonly known?: { readonly tokens: Int32Array; readonly logits: ArrayLike<number> };
  /**
   * How far scores may be off where bits are not promised, and from `known`, as a fraction of the largest logit of
   * the text. Default 1e-4: float32 computed in another order. Formats that round activations need more.
   */
  readonly tolerance?: number;
  /** Another engine of the same model, whose hidden states are right as well. */
  readonly oracle?: () => Promise<Engine>;
  /** Most tokens of the texts that are run, default 80: enough for chains of 64 rows. */
  readonly longest?: number;
  /** The widths of passes that a text is cut into, one case each. Default: some from 1 to 65. */
  readonly widths?: readonly number[];
  /** Contexts up to this many tokens are filled to the brim, default 512. */
  readonly fill?: number;
}

/** A row of logits, copied. */
export type Logits = Float64Array;

export class Bench {
  #load: () => Promise<Engine>;
  #engine?: Promise<Engine>;
  #oracle?: Promise<Engine>;
  #text?: Promise<readonly Logits[]>;

  constructor(load: () => Promise<Engine>, readonly expected: EngineExpectations) {
    this.#load = load;
  }

  engine(): Promise<Engine> {
    return this.#engine ??= this.#load();
  }

  oracle(): Promise<Engine> | undefined {
    return this.#oracle ??= this.expected.oracle?.();
  }

  /** Opens a sequence, uses it and closes it. */
  async sequence<T>(use: (sequence: Sequence, engine: Engine) => Promise<T>): Promise<T> {
    const engine = await this.engine();
    const sequence = engine.open();
    try {
      return await use(sequence, engine);
    } finally {
      sequence.close();
    }
  }

  /** The text of most cases: the known one where there is one, otherwise tokens without a pattern. */
  async tokens(): Promise<Int32Array> {
    const engine = await this.engine();
    const length = Math.min(this.expected.longest ?? 80, engine.context);
    return this.expected.known?.tokens.slice(0, length) ?? patternless(length, engine.source.spec.vocab, 1);
  }

  /** Most tokens of a context that is filled to the brim. */
  get fill(): number {
    return this.expected.fill ?? 512;
  }

  /** The text's scores by passes as wide as can be. Other ways of computing it are compared with this. */
  text(): Promise<readonly Logits[]> {
    return this.#text ??= this.tokens().then((tokens) => this.chain(tokens, tokens.length));
  }

  /** Scores of a text that is run in passes of `width` rows, or of the widths given, as far as the engine takes them. */
  async chain(tokens: Int32Array, width: number | readonly number[], start = 0): Promise<readonly Logits[]> {
    const { maxRows } = await this.engine();
    const widths = (typeof width === "number" ? [width] : width).map((rows) => Math.min(rows, maxRows));
    return await this.sequence((sequence) => runChain(sequence, tokens, widths, start));
  }

  /** Throws where the rows differ by more than the tolerance, or at all where `bits` are promised. */
  same(actual: Logits, wanted: Logits, bits: boolean, what: string): void {
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const allowed = bits ? 0 : (this.expected.tolerance ?? 1e-4) * largest;
    expectThat(actual.length === wanted.length, () => `${what}: ${actual.length} scores instead of ${wanted.length}`);
    for (let token = 0; token < wanted.length; token++) {
      const off = Math.abs(actual[token] - wanted[token]);
      expectThat(
        off <= allowed,
        () =>
          `${what}: token ${token} scores ${actual[token]} instead of ${wanted[token]}, ` +
          (bits ? "and the engine promises the same bits" : `off by ${off} where ${allowed} is allowed`),
      );
    }
  }

  /** Closes the engine and sees to it that nothing goes on working. */
  async finish(): Promise<void> {
    const engine = await this.engine();
    const sequence = engine.open();
    engine.close();
    await expectRefusal(() => engine.open(), "opening a sequence of a closed engine");
    await expectRefusal(() => sequence.forward({ tokens: Int32Array.of(0) }), "a pass of a closed engine");
  }
}

/** Runs and commits a text, pass by pass. Passes the last of `widths` as often as needed. */
export async function runChain(
  sequence: Sequence,
  tokens: Int32Array,
  widths: number | readonly number[],
  start = 0,
): Promise<readonly Logits[]> {
  const all: Logits[] = [];
  for (let at = start, pass = 0; at < tokens.length; pass++) {
    const width = typeof widths === "number" ? widths : widths[Math.min(pass, widths.length - 1)];
    const rows = { tokens: tokens.slice(at, at + width) };
    all.push(...allLogits(await sequence.forward(rows)));
    sequence.keep(wholePath(rows));
    at += rows.tokens.length;
  }
  return all;
}

export function wholePath(rows: Rows): Int32Array {
  return Int32Array.from(rows.tokens, (_, row) => row);
}

export function allLogits(scores: Scores): Logits[] {
  return Array.from({ length: scores.rows }, (_, row) => Float64Array.from(scores.logits(row)));
}

/** Tokens without a pattern, the same for the same seed: a linear congruential generator's upper bits. */
export function patternless(length: number, vocab: number, seed: number): Int32Array {
  const draw = drawer(seed);
  return Int32Array.from({ length }, () => draw(vocab));
}

/** Whole numbers below a bound, the same series for the same seed. */
export function drawer(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
