// Engines that let drafters look inside: hidden states, passes that leave out blocks, rows of embeddings.
import type { Engine, Rows, Scores, Sequence, Skip, Tap } from "../../backend.ts";
import { type Case, expectRefusal, expectThat } from "./case.ts";
import { allLogits, type Bench, drawer, runChain, wholePath } from "./engine-bench.ts";

/** Committed before each pass. */
const START = 5;
const ROWS = 7;
const TREE = [-1, 0, 0, 1, 1, 2, 4];

export function insideCases(bench: Bench): Case[] {
  /** Rows that go on after the first tokens of the text. */
  const rowsAfter = async (start: number, count: number) => (await bench.tokens()).slice(start, start + count);
  /** Runs `use` after the text's first tokens. */
  const after = async <T>(use: (sequence: Sequence, engine: Engine) => Promise<T>, start = START) =>
    await bench.sequence(async (sequence, engine) => {
      await runChain(sequence, (await bench.tokens()).slice(0, start), 3);
      return await use(sequence, engine);
    });
  /** Compares a pass with that of the oracle, where there is one: scores and states. */
  const likeOracle = async (
    rows: Rows,
    scores: Scores,
    what: string,
    before: (sequence: Sequence) => Promise<void>,
  ) => {
    const oracle = await bench.oracle();
    if (oracle === undefined) return;
    const sequence = oracle.open();
    await before(sequence);
    const wanted = await sequence.forward(rows);
    for (const tap of rows.taps ?? []) {
      bench.same(statesOf(scores, tap), statesOf(wanted, tap), false, `states of ${tap} ${what}`);
    }
    const own = allLogits(scores);
    allLogits(wanted).forEach((logits, row) => bench.same(own[row], logits, false, `row ${row} ${what}`));
    sequence.close();
  };
  const text = async (sequence: Sequence) => {
    await runChain(sequence, (await bench.tokens()).slice(0, START), START);
  };

  return [
    ...(["a chain", "a tree"] as const).map((form): Case => ({
      name: `hidden states of every tap come with the scores of ${form}, whose bits they leave alone`,
      async run() {
        const { can, source: { spec } } = await bench.engine();
        if (!can.taps) return NO_TAPS;
        if (form === "a tree" && !can.tree) return "the engine takes no trees";
        const parents = form === "a tree" ? Int32Array.from(TREE) : undefined;
        const rows = { tokens: await rowsAfter(START, ROWS), parents, taps: everyTap(spec.layers.length) };
        await after(async (sequence) => {
          const plain = allLogits(await sequence.forward({ ...rows, taps: undefined }));
          const scores = await sequence.forward(rows);
          allLogits(scores).forEach((logits, row) => bench.same(logits, plain[row], true, `row ${row} with taps`));
          for (const tap of rows.taps) {
            const { length } = statesOf(scores, tap);
            expectThat(length === ROWS * spec.width, `${length} numbers as states of ${tap}`);
          }
          await likeOracle(rows, scores, `of ${form}`, text);
          await expectRefusal(async () => (await sequence.forward({ ...rows, taps: [1] })).states!(0), "another tap");
        });
      },
    })),
    {
      name: "hidden states come of all rows of a prompt of which the last is scored, and do not depend on its cuts",
      async run() {
        const { can, maxRows, source: { spec } } = await bench.engine();
        if (!can.taps) return NO_TAPS;
        const tokens = (await bench.tokens()).slice(0, Math.min(maxRows, 40));
        const taps: Tap[] = [0, Math.ceil(spec.layers.length / 2), "head"];
        const whole = await bench.sequence(async (sequence) => {
          const scores = await sequence.forward({ tokens, taps, score: "last", need: "argmax" });
          return taps.map((tap) => statesOf(scores, tap));
        });
        await bench.sequence(async (sequence) => {
          for (let at = 0; at < tokens.length; at += 9) {
            const rows = { tokens: tokens.slice(at, at + 9), taps };
            const scores = await sequence.forward(rows);
            taps.forEach((tap, i) => {
              const own = statesOf(scores, tap);
              const same = whole[i].slice(at * spec.width, at * spec.width + own.length);
              bench.same(own, same, false, `states of ${tap} from row ${at} on`);
            });
            sequence.keep(wholePath(rows));
          }
        });
      },
    },
    {
      name: "a pass that leaves out blocks hands the stream on around them",
      async run() {
        const { can, source: { spec: { layers } } } = await bench.engine();
        if (!can.skip) return NO_SKIP;
        const tokens = await rowsAfter(START, ROWS);
        const taps = can.taps && everyTap(layers.length);
        const parents = can.tree ? Int32Array.from(TREE) : undefined;
        for (const [what, skip] of skipsOf(layers.length)) {
          await after(async (sequence) => {
            const rows = { tokens, parents, skip, ...taps && { taps } };
            const scores = await sequence.forward(rows);
            await likeOracle(rows, scores, `without ${what}`, text);
            if (!taps) return;
            layers.forEach((_, layer) => {
              if (!skip.attention.includes(layer) || !skip.feedForward.includes(layer)) return;
              const [before, behind] = [statesOf(scores, layer), statesOf(scores, layer + 1)];
              bench.same(behind, before, true, `states around layer ${layer}, which is left out`);
            });
          });
        }
      },
    },
    {
      name: "a pass that leaves out nothing by name is like a pass",
      async run() {
        if (!(await bench.engine()).can.skip) return NO_SKIP;
        const tokens = await rowsAfter(START, ROWS);
        await after(async (sequence) => {
          const plain = allLogits(await sequence.forward({ tokens }));
          const named = allLogits(await sequence.forward({ tokens, skip: { attention: [], feedForward: [] } }));
          named.forEach((logits, row) => bench.same(logits, plain[row], false, `row ${row}`));
        });
      },
    },
    {
      name: "a draft by passes that leave out blocks, kept and taken back, leaves the bits of what follows alone",
      async run() {
        const { can, source: { spec: { layers } }, context } = await bench.engine();
        if (!can.skip) return NO_SKIP;
        const text = await bench.tokens();
        const starts = [0, START, Math.min(63, context - 8, text.length - 8)];
        for (const [i, [what, skip]] of skipsOf(layers.length).entries()) {
          const start = starts[i % starts.length];
          const tokens = text.slice(start, start + ROWS);
          await after(async (sequence) => {
            const plain = allLogits(await sequence.forward({ tokens }));
            for (const token of tokens.slice(0, 4)) {
              const rows = { tokens: Int32Array.of(token), skip };
              await sequence.forward(rows);
              sequence.keep(wholePath(rows));
            }
            sequence.rewind(start);
            const again = allLogits(await sequence.forward({ tokens }));
            again.forEach((logits, row) =>
              bench.same(logits, plain[row], true, `row ${row} after ${what} were left out`)
            );
          }, start);
        }
      },
    },
    {
      name: "rows that were kept without blocks are seen by passes without them",
      async run() {
        const { can, source: { spec: { layers } } } = await bench.engine();
        if (!can.skip) return NO_SKIP;
        const tokens = await rowsAfter(START, ROWS);
        for (const [what, skip] of skipsOf(layers.length)) {
          await after(async (sequence) => {
            const whole = allLogits(await sequence.forward({ tokens, skip }));
            for (const [row, token] of tokens.entries()) {
              const rows = { tokens: Int32Array.of(token), skip };
              const [logits] = allLogits(await sequence.forward(rows));
              bench.same(logits, whole[row], false, `row ${row} by itself without ${what}`);
              sequence.keep(wholePath(rows));
            }
          });
        }
      },
    },
    {
      name: "embeddings stand for tokens",
      async run() {
        const { can, source: { spec: { width, vocab } } } = await bench.engine();
        if (!can.embeddings) return "the engine takes no embeddings";
        const parents = can.tree ? Int32Array.from(TREE) : undefined;
        const tokens = await rowsAfter(START, ROWS);
        const draw = drawer(7);
        const embeddings = Float32Array.from({ length: ROWS * width }, () => (draw(2001) - 1000) / 20_000);
        await after(async (sequence) => {
          const rows = { tokens, parents, embeddings };
          const scores = await sequence.forward(rows);
          await likeOracle(rows, scores, "of embeddings", text);
          const given = allLogits(scores);
          // What tokens there are beside them means nothing, and a row does not depend on rows that it does not see.
          const others = tokens.map((token) => (token + 1) % vocab);
          const moved = embeddings.map((value, i) => Math.floor(i / width) === ROWS - 1 ? -value : value);
          const again = allLogits(await sequence.forward({ tokens: others, parents, embeddings: moved }));
          for (let row = 0; row < ROWS - 1; row++) {
            bench.same(again[row], given[row], true, `row ${row} with other tokens`);
          }
          const changed = again[ROWS - 1].some((logit, token) => logit !== given[ROWS - 1][token]);
          expectThat(changed, "the last row's scores are the same with another embedding");
        });
      },
    },
    {
      name: "what makes no sense inside a model is refused",
      async run() {
        const { can, source: { spec: { layers, width } } } = await bench.engine();
        const tokens = await rowsAfter(0, 2);
        await after(async (sequence) => {
          const refused = (what: string, rows: Partial<Rows>) =>
            expectRefusal(() => sequence.forward({ tokens, ...rows }), what);
          await refused("a tap behind the last layer", { taps: [layers.length + 1] });
          await refused("a tap before the first", { taps: [-1] });
          await refused("a layer that is not there", { skip: { attention: [layers.length], feedForward: [] } });
          await refused("layers in no order", { skip: { attention: [], feedForward: [0, 0] } });
          await refused("half an embedding", { embeddings: new Float32Array(width) });
          if (!can.taps) await refused("taps of an engine without", { taps: [0] });
          if (!can.skip) {
            await refused("blocks left out by an engine that cannot", { skip: { attention: [0], feedForward: [] } });
          }
          if (!can.embeddings) await refused("embeddings", { embeddings: new Float32Array(2 * width) });
        });
      },
    },
  ];
}

const NO_TAPS = "the engine gives no hidden states";
const NO_SKIP = "the engine leaves out no blocks";

const everyTap = (layers: number): Tap[] => [...Array.from({ length: layers + 1 }, (_, layer) => layer), "head"];

/** Blocks to leave out, and what they are called. */
function skipsOf(layers: number): readonly (readonly [string, Skip])[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const last = [layers - 1];
  return [
    ["the last layer", { attention: last, feedForward: last }],
    ["an attention", { attention: [layers >> 1], feedForward: [] }],
    ["a feed-forward", { attention: [], feedForward: [0] }],
    ["all but the first layer", { attention: all.slice(1), feedForward: all.slice(1) }],
    ["all layers", { attention: all, feedForward: all }],
  ];
}

function statesOf(scores: Scores, tap: Tap): Float64Array {
  expectThat(scores.states !== undefined, "the scores hold no states");
  return Float64Array.from(scores.states(tap));
}
