// The engine suite finds what it is there to find: each mistake that engines have been known to make is made here on
// purpose, around the reference engine, and must be caught by the case that is named.
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Engine, Rows, Scores, Sequence } from "../../src/backend.ts";
import { engineSuite } from "../../src/check/conformance/engine.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { randomModel } from "./support/random-model.ts";

/** Methods of a sequence that do something else; each gets what it stands in for. */
type Mistake = (right: Sequence, open: () => Sequence) => Partial<Sequence>;
type ScoreMistake = (right: Scores, rows: Rows) => Partial<Scores>;

const source = randomModel(5, { spec: { context: 96 } }).source;
const load = () => referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });

/** `changed` in front of `right`. */
function instead<T extends object>(right: T, changed: Partial<T>): T {
  return new Proxy(right, {
    get(target, key) {
      const value = key in changed ? changed[key as keyof T] : target[key as keyof T];
      return typeof value === "function" && !(key in changed) ? value.bind(target) : value;
    },
  });
}

async function broken(mistake: Mistake): Promise<Engine> {
  const engine = await load();
  const wrap = (right: Sequence): Sequence =>
    instead(right, { fork: () => wrap(right.fork()), ...mistake(right, () => wrap(engine.open())) });
  return instead<Engine>(engine, { open: () => wrap(engine.open()) });
}

function brokenScores(mistake: ScoreMistake): Promise<Engine> {
  return broken((right) => ({
    forward: async (rows) => {
      const scores = await right.forward(rows);
      return instead(scores, mistake(scores, rows));
    },
  }));
}

async function failures(engine: () => Promise<Engine>): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of engineSuite("it", engine, { longest: 30 })) {
    await run().catch(() => failed.push(name.slice(4)));
  }
  return failed;
}

function caught(mistake: string, engine: () => Promise<Engine>, by: string): void {
  test(`the suite catches an engine that ${mistake}`, async () => {
    const failed = await failures(engine);
    assert.ok(failed.includes(by), `only these cases failed: ${failed.join("; ") || "none"}`);
  });
}

test("the suite finds no fault in the reference engine", async () => {
  assert.deepEqual(await failures(load), []);
});

caught(
  "lets tree nodes see rows that are not their ancestors",
  () => broken((right) => ({ forward: (rows) => right.forward({ ...rows, parents: undefined }) })),
  "every node of a tree after a text scores like the chain that leads to it",
);
caught(
  "keeps one row too many",
  () => {
    return broken((right) => {
      let rows = 0;
      return {
        forward: (pass) => (rows = pass.tokens.length, right.forward(pass)),
        keep: (path) =>
          right.keep(path.length < rows ? Int32Array.from({ length: path.length + 1 }, (_, i) => i) : path),
      };
    });
  },
  "keeping a part of a chain forgets the rest",
);
caught(
  "keeps the first rows of a tree instead of the path",
  () => broken((right) => ({ keep: (path) => right.keep(path.map((_, i) => i)) })),
  "keeping a path of a tree leaves the text of that path",
);
caught(
  "rewinds one token too far",
  () => broken((right) => ({ rewind: (length) => right.rewind(Math.max(0, length - 1)) })),
  "a rewound sequence goes on as if nothing had been there",
);
caught(
  "shares a cache between a fork and its origin",
  () => broken((right) => ({ fork: () => instead(right, { close: () => {} }) })),
  "a fork and its origin go separate ways",
);
caught(
  "ignores the temperature",
  () => broken((right) => ({ forward: (rows) => right.forward({ ...rows, temperature: 1 }) })),
  "probabilities follow temperature 0.25, logits do not",
);
caught(
  "changes bits with the width of a pass",
  () =>
    brokenScores((right, rows) => ({
      logits: (row) => right.logits(row).map((logit) => rows.tokens.length === 1 ? logit * (1 + 1e-12) : logit),
    })),
  "token by token is like one pass",
);
caught(
  "gives the first row where the last was asked for",
  () =>
    broken((right) => ({
      forward: async (rows) => {
        const scores = await right.forward({ ...rows, score: "all" });
        return rows.score === "last" ? instead(scores, { rows: 1 }) : scores;
      },
    })),
  "the last row alone scores as it does among all",
);
caught(
  "cuts off a text that does not fit",
  () =>
    broken((right) => ({
      forward: (rows) => right.forward({ ...rows, tokens: rows.tokens.slice(0, 96 - right.length) }),
    })),
  "a text longer than the context is refused with a line for people",
);
caught(
  "takes tokens past the vocabulary for other tokens",
  () =>
    broken((right) => ({
      forward: (rows) => right.forward({ ...rows, tokens: rows.tokens.map((token) => token % source.spec.vocab) }),
    })),
  "rows that make no sense are refused, and the sequence lives on",
);
caught(
  "normalises the likeliest tokens among themselves",
  () =>
    brokenScores((right) => ({
      top: (row, k) => {
        const { tokens, probabilities } = right.top(row, k);
        const sum = probabilities.reduce((a, b) => a + b);
        return { tokens, probabilities: probabilities.map((value) => value / sum) };
      },
    })),
  "argmax, top, probability and distribution tell what the logits tell (need: probabilities)",
);

test("the suite catches an engine that gives ties to the last token", async () => {
  const tied = randomModel(7, { ties: true }).source;
  const engine = async () => {
    const right = await referenceBackend.load(tied, { format: "float32", strict: true, cacheDir: "" });
    return instead<Engine>(right, {
      open: () => {
        const sequence = right.open();
        return instead(sequence, {
          forward: async (rows) => {
            const scores = await sequence.forward(rows);
            return instead(scores, {
              argmax: (row) => scores.logits(row).lastIndexOf(Math.max(...scores.logits(row))),
            });
          },
        });
      },
    });
  };
  const failed = await failures(engine);
  assert.ok(failed.some((name) => name.startsWith("argmax, top, probability")), failed.join("; "));
});

test("the suite compares with scores from elsewhere", async () => {
  const other = await referenceBackend.load(randomModel(5, { spec: { context: 96, logitScale: 1.01 } }).source, {
    format: "float32",
    strict: true,
    cacheDir: "",
  });
  const tokens = Int32Array.of(1, 2, 3, 4);
  const scores = await other.open().forward({ tokens });
  const logits = tokens.reduce<number[]>((all, _, row) => [...all, ...scores.logits(row)], []);
  const suite = engineSuite("it", load, { known: { tokens, logits } });
  const one = suite.find(({ name }) => name === "it: a text's scores are those that somebody else computed");
  await assert.rejects(async () => await one?.run(), /position 0/);
});
