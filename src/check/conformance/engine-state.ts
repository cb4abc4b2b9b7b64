// A sequence holds what was kept and nothing else: rejected rows, taken-back tokens and other sequences leave no trace.
import { type Case, expectRefusal, expectThat, NO_TREES } from "./case.ts";
import { allLogits, type Bench, type Logits, patternless, runChain } from "./engine-bench.ts";
import { pathTo } from "./engine-bits.ts";

export function stateCases(bench: Bench): Case[] {
  const chains = async () => (await bench.engine()).can.exact !== "none";
  const trees = async () => (await bench.engine()).can.exact === "trees";

  /** The cases' text and another one that shares nothing with it, with the scores of both. */
  const texts = async () => {
    const tokens = (await bench.tokens()).slice(0, 24);
    const vocab = (await bench.engine()).source.spec.vocab;
    const other = patternless(tokens.length, vocab, 99);
    return { tokens, wanted: await bench.text(), other, otherWanted: await bench.chain(other, other.length) };
  };

  const expectRows = async (actual: readonly Logits[], wanted: readonly Logits[], start: number, what: string) => {
    for (const [row, logits] of actual.entries()) {
      bench.same(logits, wanted[start + row], await chains(), `${what}, position ${start + row}`);
    }
  };

  return [
    {
      name: "keeping a part of a chain forgets the rest",
      async run() {
        const { tokens, wanted, other } = await texts();
        await bench.sequence(async (sequence) => {
          await runChain(sequence, tokens.slice(0, 5), 5);
          for (const kept of [0, 1, 3]) {
            const at = sequence.length;
            const draft = Int32Array.from([...tokens.slice(at, at + kept), ...other.slice(0, 4)]);
            await sequence.forward({ tokens: draft });
            sequence.keep(Int32Array.from({ length: kept }, (_, row) => row));
            expectThat(sequence.length === at + kept, `${sequence.length} tokens after keeping ${kept} upon ${at}`);
          }
          const start = sequence.length;
          await expectRows(await runChain(sequence, tokens, 4, start), wanted, start, "after rejected rows");
        });
      },
    },
    {
      name: "keeping a path of a tree leaves the text of that path",
      async run() {
        const { tokens, other, wanted } = await texts();
        const { can } = await bench.engine();
        if (!can.tree) return NO_TREES;
        // Row 0 and the odd branch below it are the text; everything else is noise that stands between.
        const parents = Int32Array.of(-1, 0, 0, 1, 2, 2, 5, 4);
        const right = [0, 2, 5, 6];
        for (let kept = 1; kept <= right.length; kept++) {
          await bench.sequence(async (sequence) => {
            await runChain(sequence, tokens.slice(0, 6), 6);
            const draft = other.slice(0, parents.length);
            right.forEach((node, depth) => draft[node] = tokens[6 + depth]);
            await sequence.forward({ tokens: draft, parents });
            sequence.keep(pathTo(parents, right[kept - 1]));
            expectThat(sequence.length === 6 + kept, `${sequence.length} tokens after keeping ${kept} upon 6`);
            const after = await runChain(sequence, tokens, 3, 6 + kept);
            for (const [row, logits] of after.entries()) {
              bench.same(
                logits,
                wanted[6 + kept + row],
                await trees(),
                `${kept} nodes kept, position ${6 + kept + row}`,
              );
            }
          });
        }
      },
    },
    {
      name: "only a path from the root of the last pass can be kept",
      async run() {
        const { tokens } = await texts();
        await bench.sequence(async (sequence) => {
          await expectRefusal(() => sequence.keep(Int32Array.of(0)), "keeping rows before any pass");
          await sequence.forward({ tokens: tokens.slice(0, 3) });
          await expectRefusal(() => sequence.keep(Int32Array.of(1)), "a path that does not start at the root");
          await sequence.forward({ tokens: tokens.slice(0, 3) });
          await expectRefusal(() => sequence.keep(Int32Array.of(0, 2)), "a path with a gap");
          await sequence.forward({ tokens: tokens.slice(0, 3) });
          await expectRefusal(() => sequence.keep(Int32Array.of(0, 1, 2, 3)), "a path longer than the pass");
          await sequence.forward({ tokens: tokens.slice(0, 3) });
          sequence.keep(Int32Array.of(0, 1));
          await expectRefusal(() => sequence.keep(Int32Array.of(0)), "keeping rows of one pass twice");
          expectThat(sequence.length === 2, `${sequence.length} tokens committed instead of 2`);
        });
      },
    },
    {
      name: "a rewound sequence goes on as if nothing had been there",
      async run() {
        const { tokens, wanted, other } = await texts();
        await bench.sequence(async (sequence) => {
          for (const length of [9, 8, 3, 1, 0]) {
            await runChain(sequence, tokens.slice(0, 10), 4, sequence.length);
            await runChain(sequence, Int32Array.from([...tokens.slice(0, 10), ...other.slice(0, 7)]), 3, 10);
            sequence.rewind(length);
            expectThat(sequence.length === length, `${sequence.length} tokens after rewinding to ${length}`);
            await expectRows(
              await runChain(sequence, tokens.slice(0, 14), 5, length),
              wanted,
              length,
              `from ${length}`,
            );
            sequence.rewind(Math.min(length, 9));
          }
        });
      },
    },
    {
      name: "a sequence cannot be rewound to where it never was",
      async run() {
        const { tokens } = await texts();
        await bench.sequence(async (sequence) => {
          await runChain(sequence, tokens.slice(0, 4), 4);
          for (const length of [5, -1, 1.5, NaN]) {
            await expectRefusal(() => sequence.rewind(length), `rewinding 4 tokens to ${length}`);
          }
          sequence.rewind(4);
          expectThat(sequence.length === 4, `${sequence.length} tokens after rewinding 4 to 4`);
        });
      },
    },
    {
      name: "a fork and its origin go separate ways",
      async run() {
        const { tokens, wanted, other } = await texts();
        const mixed = Int32Array.from([...tokens.slice(0, 7), ...other.slice(0, 7)]);
        const mixedWanted = await bench.chain(mixed, mixed.length);
        await bench.sequence(async (sequence) => {
          await runChain(sequence, tokens.slice(0, 7), 7);
          const fork = sequence.fork();
          expectThat(fork.length === 7, `a fork of 7 tokens holds ${fork.length}`);
          await expectRows(await runChain(fork, mixed, 3, 7), mixedWanted, 7, "the fork");
          expectThat(sequence.length === 7, `the origin holds ${sequence.length} tokens after its fork ran`);
          await expectRows(await runChain(sequence, tokens, 4, 7), wanted, 7, "the origin");
          fork.rewind(2);
          await expectRows(await runChain(fork, tokens.slice(0, 9), 2, 2), wanted, 2, "the fork, rewound");
          fork.close();
          sequence.rewind(5);
          await expectRows(await runChain(sequence, tokens, 6, 5), wanted, 5, "the origin after its fork closed");
        });
      },
    },
    {
      name: "two sequences of one engine do not disturb each other",
      async run() {
        const { tokens, wanted, other, otherWanted } = await texts();
        await bench.sequence((one) =>
          bench.sequence(async (two) => {
            for (let at = 0; at < 12; at += 3) {
              await expectRows(await runChain(one, tokens.slice(0, at + 3), 3, at), wanted, at, "the first");
              await expectRows(await runChain(two, other.slice(0, at + 3), 2, at), otherWanted, at, "the second");
            }
          })
        );
      },
    },
    {
      name: "a pass can be kept after another sequence ran",
      async run() {
        const { tokens, wanted, other } = await texts();
        await bench.sequence((one) =>
          bench.sequence(async (two) => {
            await one.forward({ tokens: tokens.slice(0, 6) });
            await two.forward({ tokens: other.slice(0, 6) });
            one.keep(Int32Array.of(0, 1, 2, 3));
            await expectRows(allLogits(await one.forward({ tokens: tokens.slice(4, 8) })), wanted, 4, "the first");
          })
        );
      },
    },
    {
      name: "a closed sequence refuses to go on",
      async run() {
        const engine = await bench.engine();
        const sequence = engine.open();
        await sequence.forward({ tokens: Int32Array.of(0) });
        sequence.close();
        await expectRefusal(() => sequence.forward({ tokens: Int32Array.of(0) }), "a pass of a closed sequence");
        await expectRefusal(() => sequence.fork(), "a fork of a closed sequence");
      },
    },
  ];
}
