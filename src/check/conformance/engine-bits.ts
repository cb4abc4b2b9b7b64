// Scores do not depend on how a text is cut into passes, nor on the rows beside: to the last bit where `can.exact`
// promises it, within the tolerance otherwise.
import { type Case, expectRefusal, expectThat, NO_TREES } from "./case.ts";
import { allLogits, type Bench, drawer, runChain, wholePath } from "./engine-bench.ts";

/** Powers of two, where kernels change, and a row more or less, which leaves a row over. */
const WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65];

export function bitCases(bench: Bench): Case[] {
  const chains = async () => (await bench.engine()).can.exact !== "none";
  const trees = async () => (await bench.engine()).can.exact === "trees";

  const agree = async (widths: number | readonly number[], what: string) => {
    const tokens = await bench.tokens();
    const wanted = await bench.text();
    const actual = await bench.chain(tokens, widths);
    expectThat(actual.length === wanted.length, `${what}: ${actual.length} rows of scores for ${wanted.length} tokens`);
    for (const [row, logits] of actual.entries()) {
      bench.same(logits, wanted[row], await chains(), `${what}, position ${row}`);
    }
  };

  const { known } = bench.expected;
  return [
    ...known === undefined ? [] : [{
      name: "a text's scores are those that somebody else computed",
      async run() {
        const text = await bench.text();
        const vocab = text[0].length;
        text.forEach((logits, row) => {
          const wanted = Float64Array.from({ length: vocab }, (_, token) => known.logits[row * vocab + token]);
          bench.same(logits, wanted, false, `position ${row}`);
        });
      },
    }],
    ...(bench.expected.widths ?? WIDTHS).map((width): Case => ({
      name: width === 1 ? "token by token is like one pass" : `passes of ${width} rows are like one pass`,
      run: () => agree(width, `in passes of ${width}`),
    })),
    {
      name: "passes of changing width are like one pass",
      async run() {
        const length = (await bench.tokens()).length;
        for (const seed of [1, 2, 3]) {
          const draw = drawer(seed);
          const widths = Array.from({ length }, () => 1 + draw([2, 6, 20][seed - 1]));
          await agree(widths, `in passes of ${widths.slice(0, 6)}, …`);
        }
      },
    },
    {
      name: "the same pass twice gives the same bits, and commits nothing",
      async run() {
        const tokens = (await bench.tokens()).slice(0, 8);
        await bench.sequence(async (sequence) => {
          const first = allLogits(await sequence.forward({ tokens }));
          const second = allLogits(await sequence.forward({ tokens }));
          expectThat(sequence.length === 0, `a pass without keep left ${sequence.length} tokens committed`);
          first.forEach((logits, row) => bench.same(second[row], logits, true, `row ${row} of the repeated pass`));
        });
      },
    },
    {
      name: "the last row alone scores as it does among all",
      async run() {
        const tokens = await bench.tokens();
        const wanted = await bench.text();
        for (const length of [1, 2, 5, tokens.length]) {
          await bench.sequence(async (sequence) => {
            const scores = await sequence.forward({ tokens: tokens.slice(0, length), score: "last" });
            expectThat(scores.rows === 1, `the last row was asked for and ${scores.rows} came`);
            bench.same(allLogits(scores)[0], wanted[length - 1], await chains(), `last of ${length} rows`);
          });
        }
      },
    },
    {
      name: "a prompt longer than the widest pass is prefilled in chunks",
      async run() {
        const { maxRows, context } = await bench.engine();
        const text = await bench.tokens();
        const length = maxRows + 3;
        if (length > Math.min(context, bench.fill)) {
          return `no context is filled that is longer than the widest pass, ${maxRows} rows`;
        }
        const tokens = Int32Array.from({ length }, (_, i) => text[i % text.length]);
        const wanted = (await bench.chain(tokens, Math.min(maxRows, 32))).at(-1)!;
        await bench.sequence(async (sequence) => {
          const rows = { tokens, score: "last" } as const;
          const [logits] = allLogits(await sequence.forward(rows));
          bench.same(logits, wanted, await chains(), `last of ${length} rows`);
          sequence.keep(wholePath(rows));
          expectThat(sequence.length === length, `${sequence.length} of ${length} tokens were committed`);
        });
      },
    },
    ...(["after a text", "of an empty sequence"] as const).map((where): Case => ({
      name: `every node of a tree ${where} scores like the chain that leads to it`,
      async run() {
        const { can, context } = await bench.engine();
        const tokens = await bench.tokens();
        const start = where === "after a text" ? Math.min(11, tokens.length >> 1) : 0;
        if (!can.tree) return NO_TREES;
        const fitting = TREES.filter((shape) => start + shape.length <= context);
        if (fitting.length === 0) return `no tree fits the context of ${context} tokens after ${start}`;
        for (const shape of fitting) {
          const rows = treeOf(shape, tokens, start);
          const scores = await bench.sequence(async (sequence) => {
            await runChain(sequence, tokens.slice(0, start), 4);
            return allLogits(await sequence.forward(rows));
          });
          for (const [row, logits] of scores.entries()) {
            const path = pathTo(rows.parents, row);
            const chain = Int32Array.from([...tokens.slice(0, start), ...path.map((node) => rows.tokens[node])]);
            const wanted = (await bench.chain(chain, chain.length)).at(-1)!;
            bench.same(logits, wanted, await trees(), `node ${row} of the tree [${shape}]`);
          }
        }
      },
    })),
    {
      name: "a wide tree after a text of any length scores like the chains that lead to its nodes",
      async run() {
        const { can, context, maxRows } = await bench.engine();
        if (!can.tree) return NO_TREES;
        const size = Math.min(maxRows, 64);
        const most = Math.min(context, bench.fill);
        const text = await bench.tokens();
        const tokens = Int32Array.from({ length: most }, (_, i) => text[(i * 7 + (i >> 5)) % text.length]);
        await bench.sequence(async (sequence) => {
          let start = 0;
          for (let trial = 0; start < most - 15; trial++) {
            const draw = drawer(trial);
            // Where a power of two is near, rows may come to stand apart: there, every length is tried.
            const step = (start + 7) % 64 < 9 ? 1 : Math.min(3 + draw(9), 64 - (start + 7) % 64);
            await runChain(sequence, tokens.slice(0, Math.min(most, start + step)), step, start);
            start += step;
            const rows = wideTree(draw, tokens, start, Math.min(size, 2 + draw(size)), most - start);
            const exact = sequence.exactRows?.(rows.parents) ?? rows.tokens.length;
            expectThat(exact > 0, `no row of a tree after ${start} tokens is exact`);
            const scores = allLogits(await sequence.forward(rows));
            for (const row of [exact - 1, draw(exact), rows.tokens.length - 1]) {
              const chain = { tokens: Int32Array.from(pathTo(rows.parents, row), (node) => rows.tokens[node]) };
              const wanted = allLogits(await sequence.forward(chain)).at(-1)!;
              const promised = row < exact && await trees();
              bench.same(scores[row], wanted, promised, `node ${row} of [${rows.parents}] after ${start} tokens`);
            }
          }
        });
      },
    },
    {
      name: "every row of a chain is exact, whatever stands before it",
      async run() {
        const { maxRows, context } = await bench.engine();
        const tokens = await bench.tokens();
        await bench.sequence(async (sequence) => {
          for (const token of tokens.slice(0, Math.min(tokens.length, context - 1))) {
            for (const rows of [1, 2, Math.min(maxRows, context - sequence.length)]) {
              const exact = sequence.exactRows?.(Int32Array.from({ length: rows }, (_, row) => row - 1)) ?? rows;
              expectThat(exact === rows, `${exact} of a chain of ${rows} rows after ${sequence.length} tokens`);
            }
            await runChain(sequence, Int32Array.of(token), 1);
          }
        });
      },
    },
    {
      name: "a tree node does not depend on the nodes that are not its ancestors",
      async run() {
        const { can, source } = await bench.engine();
        if (!can.tree) return NO_TREES;
        const tokens = (await bench.tokens()).slice(0, 6);
        const parents = Int32Array.of(-1, 0, 0, 1, 2);
        const other = tokens.slice(0, 5).map((token, row) =>
          row === 1 || row === 3 ? (token + 1) % source.spec.vocab : token
        );
        await bench.sequence(async (sequence) => {
          const before = allLogits(await sequence.forward({ tokens: tokens.slice(0, 5), parents }));
          const after = allLogits(await sequence.forward({ tokens: other, parents }));
          for (const row of [0, 2, 4]) {
            // The sums run over the same columns in both passes, so an engine that promises any bits keeps these.
            bench.same(after[row], before[row], await chains(), `node ${row} beside other neighbours`);
          }
        });
      },
    },
    {
      name: "an engine without trees refuses them",
      async run() {
        const { can } = await bench.engine();
        if (can.tree) return "the engine takes trees";
        await bench.sequence((sequence) =>
          expectRefusal(
            () => sequence.forward({ tokens: Int32Array.of(0, 1, 2), parents: Int32Array.of(-1, 0, 0) }),
            "a tree, which the engine says it cannot do,",
          )
        );
      },
    },
  ];
}

/** Parents: a bush, two chains side by side, a comb, several roots, and a chain with a late branch. */
const TREES: readonly (readonly number[])[] = [
  [-1, 0, 0, 0, 1, 1, 2, 4],
  [-1, 0, 0, 1, 2, 3, 4, 5, 6],
  [-1, 0, 0, 2, 2, 4, 4, 6, 6],
  [-1, -1, -1, 0, 1, 2],
  [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3, 12, 13],
];

/** A tree of `size` nodes at most `depth` deep, each below one drawn from those before, late ones more often. */
function wideTree(draw: (below: number) => number, text: Int32Array, start: number, size: number, depth: number) {
  const parents = new Int32Array(size).fill(-1);
  const depths = new Int32Array(size);
  for (let node = 1; node < size; node++) {
    const parent = Math.max(draw(node), draw(node));
    parents[node] = depths[parent] + 1 < depth ? parent : 0;
    depths[node] = depths[parents[node]] + 1;
  }
  return treeOf(Array.from(parents), text, start);
}

/** Node 0 continues the text as it goes on; the others take tokens from further on in it. */
export function treeOf(shape: readonly number[], text: Int32Array, start: number) {
  return {
    tokens: Int32Array.from(shape, (_, node) => text[(start + node) % text.length]),
    parents: Int32Array.from(shape),
  };
}

/** The nodes from the root down to `node`, itself included. */
export function pathTo(parents: Int32Array, node: number): Int32Array {
  const path: number[] = [];
  for (let at = node; at >= 0; at = parents[at]) path.push(at);
  return Int32Array.from(path.reverse());
}
