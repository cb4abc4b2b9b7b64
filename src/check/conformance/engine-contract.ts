// What an engine says about itself is true, and what it cannot compute it refuses.
import type { Sequence } from "../../backend.ts";
import { HunchError } from "../../errors.ts";
import { type Case, expectRefusal, expectThat } from "./case.ts";
import { type Bench, runChain } from "./engine-bench.ts";

export function contractCases(bench: Bench): Case[] {
  return [
    {
      name: "it says what it is",
      async run() {
        const engine = await bench.engine();
        expectThat(/^\S+$/.test(engine.name), `the engine's name is “${engine.name}”, not one word`);
        expectThat(Number.isInteger(engine.context) && engine.context > 0, `a context of ${engine.context} tokens`);
        expectThat(Number.isInteger(engine.maxRows) && engine.maxRows > 0, `passes of at most ${engine.maxRows} rows`);
        await bench.sequence(async (sequence) => {
          expectLength(sequence, 0, "in a new sequence");
        });
      },
    },
    {
      name: "rows that make no sense are refused, and the sequence lives on",
      async run() {
        const { source } = await bench.engine();
        const row = (...numbers: number[]) => Int32Array.from(numbers);
        await bench.sequence(async (sequence) => {
          await runChain(sequence, row(0, 1, 0), 3);
          const refused = (what: string, rows: Parameters<typeof sequence.forward>[0]) =>
            expectRefusal(() => sequence.forward(rows), what);
          await refused("a pass without rows", { tokens: row() });
          await refused("a token below the vocabulary", { tokens: row(-1) });
          await refused("a token past the vocabulary", { tokens: row(0, source.spec.vocab) });
          await refused("a row that continues itself", { tokens: row(0, 1), parents: row(-1, 1) });
          await refused("a row that continues a later one", { tokens: row(0, 1, 0), parents: row(-1, 2, 0) });
          await refused("a parent below −1", { tokens: row(0), parents: row(-2) });
          await refused("more parents than rows", { tokens: row(0), parents: row(-1, 0) });
          await refused("temperature 0", { tokens: row(0), temperature: 0 });
          await refused("temperature NaN", { tokens: row(0), temperature: NaN });
          expectLength(sequence, 3, "after refusals");
          await sequence.forward({ tokens: row(0) });
          sequence.keep(row(0));
          expectLength(sequence, 4, "after going on");
        });
      },
    },
    {
      name: "a text longer than the context is refused with a line for people",
      async run() {
        const { context } = await bench.engine();
        await bench.sequence(async (sequence) => {
          const rows = { tokens: new Int32Array(context + 1), score: "last" } as const;
          expectInputError(await expectRefusal(() => sequence.forward(rows), `${context + 1} tokens in ${context}`));
          expectLength(sequence, 0, "after the refusal");
        });
      },
    },
    {
      name: "a context can be filled to the brim, and no further",
      async run() {
        const { context } = await bench.engine();
        if (context > bench.fill) {
          return `the context of ${context} tokens is larger than what is filled, ${bench.fill}`;
        }
        const text = await bench.tokens();
        const tokens = Int32Array.from({ length: context }, (_, i) => text[i % text.length]);
        await bench.sequence(async (sequence) => {
          await runChain(sequence, tokens.subarray(0, context - 1), 32);
          await runChain(sequence, tokens, 1, context - 1);
          expectLength(sequence, context, "in a full context");
          expectInputError(await expectRefusal(() => sequence.forward({ tokens: Int32Array.of(0) }), "one token more"));
          expectLength(sequence, context, "after the refusal");
          sequence.rewind(context - 2);
          await expectRefusal(() => sequence.forward({ tokens: new Int32Array(3) }), "three tokens where two fit");
          await runChain(sequence, tokens, 2, context - 2);
          expectLength(sequence, context, "after filling the context again");
        });
      },
    },
    {
      name: "the cost of a pass is known once it was measured",
      async run() {
        const engine = await bench.engine();
        expectThat(Number.isNaN(engine.cost(1)), `a pass costs ${engine.cost(1)} ms before anything was measured`);
        await engine.calibrate();
        for (const width of [1, 2, 3, 8, 13, 32, 64]) {
          const cost = engine.cost(width);
          expectThat(Number.isFinite(cost) && cost > 0, `a pass over ${width} rows costs ${cost} ms`);
        }
      },
    },
  ];
}

function expectLength(sequence: Sequence, length: number, when: string): void {
  expectThat(sequence.length === length, `${sequence.length} tokens instead of ${length} ${when}`);
}

function expectInputError(error: unknown): void {
  expectThat(
    error instanceof HunchError && error.kind === "input",
    () => `a full context must be refused by a HunchError of kind input, not by ${error}`,
  );
}
