// The default model on ONNX Runtime against numbers from an engine that none of us wrote: transformers on torch, in
// float32, from the same file (test/fixtures/smollm2/golden.json says how).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import type { Engine, Need, Scores } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { openModel } from "../../src/model/open.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { part } from "../support/part.ts";
import { temporaryFolder } from "../support/folder.ts";

interface Golden {
  readonly rows: readonly {
    readonly prompt_ids: readonly number[];
    readonly rows: readonly {
      readonly position: number;
      readonly logsumexp: number;
      readonly top: [number, number][];
    }[];
  }[];
  readonly nll: Readonly<
    Record<string, { readonly windows: number; readonly window: number; readonly nll_per_token: number }>
  >;
  readonly greedy: readonly {
    readonly prompt_ids: readonly number[];
    readonly ids: readonly number[];
    readonly margins: readonly number[];
  }[];
}

const fixture = (name: string) => readFileSync(new URL(`../fixtures/smollm2/${name}`, import.meta.url), "utf8");
const golden = JSON.parse(fixture("golden.json")) as Golden;
const source = await openModel(
  new URL("../../models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", import.meta.url).pathname,
);
const cacheDir = temporaryFolder();

/** What a format may differ by: likelihood in parts, the margin under which the best token may be another, logits. */
const BOUNDS: Readonly<Record<WeightFormat, { nll: number; margin: number; logit: number }>> = {
  exact: { nll: 0.003, margin: 0.6, logit: 1 },
  int8: { nll: 0.01, margin: 1.2, logit: 1.5 },
  float32: { nll: 0.0002, margin: 0.002, logit: 1e-3 },
};

/** Scores `tokens` in chunks after each other; `visit` sees every position from `start` on once. */
async function score(
  engine: Engine,
  tokens: Int32Array,
  need: Need,
  visit: (position: number, row: number, scores: Scores) => void,
  start = 0,
): Promise<void> {
  const sequence = engine.open();
  for (let at = 0; at < tokens.length;) {
    const end = at < start ? start : Math.min(tokens.length, at + engine.maxRows);
    const chunk = tokens.subarray(at, end);
    const scores = await sequence.forward({ tokens: chunk, need, score: at < start ? "last" : "all" });
    if (at >= start) chunk.forEach((_, row) => visit(at + row, row, scores));
    sequence.keep(Int32Array.from(chunk.keys()));
    at = end;
  }
  sequence.close();
}

for (const [format, bound] of part(Object.entries(BOUNDS) as [WeightFormat, typeof BOUNDS["exact"]][], 1)) {
  const loaded = onnxBackend.load(source, { format, strict: true, cacheDir });
  loaded.catch(() => {}); // each test below reports it
  after(async () => (await loaded).close());

  for (const [name, { windows, window, nll_per_token }] of part(Object.entries(golden.nll), 0)) {
    test(`${format}: the likelihood of ${name} is the reference's within ${bound.nll * 100}%`, async () => {
      const engine = await loaded;
      const ids = source.tokenizer.encode(fixture(name.replace(".jsonl", ".txt")));
      let [sum, count] = [0, 0];
      for (let i = 0; i < windows; i++) {
        const tokens = ids.subarray(i * window, (i + 1) * window);
        assert.equal(tokens.length, window);
        await score(engine, tokens, "probabilities", (position, row, scores) => {
          if (position + 1 === window) return;
          sum -= Math.log(scores.probability(row, tokens[position + 1]));
          count++;
        });
      }
      assert.equal(count, windows * (window - 1));
      const difference = sum / count / nll_per_token - 1;
      assert.ok(Math.abs(difference) <= bound.nll, `${difference * 100}% off`);
    });
  }

  test(`${format}: the best token after a text is the reference's wherever its margin is ${bound.margin}`, async () => {
    const engine = await loaded;
    let compared = 0;
    for (const { prompt_ids, ids, margins } of part(golden.greedy, 3)) {
      // Teacher-forced: with --strict a chain has the bits of decoding token by token.
      const tokens = Int32Array.from([...prompt_ids, ...ids.slice(0, -1)]);
      await score(engine, tokens, "argmax", (position, row, scores) => {
        const step = position - (prompt_ids.length - 1);
        if (margins[step] < bound.margin) return;
        assert.equal(scores.argmax(row), ids[step], `step ${step}, margin ${margins[step]}`);
        compared++;
      }, prompt_ids.length - 1);
    }
    const most = part(golden.greedy, 3).reduce((sum, { ids }) => sum + ids.length, 0);
    assert.ok(compared > most / 2, `${compared} of ${most} steps were compared`);
  });

  test(`${format}: the largest logits of three prompts are the reference's within ${bound.logit}`, async () => {
    const engine = await loaded;
    for (const { prompt_ids, rows } of golden.rows) {
      const compared: number[] = [];
      await score(engine, Int32Array.from(prompt_ids), "logits", (position, row, scores) => {
        const expected = rows.find((golden) => golden.position === position);
        if (!expected) return;
        compared.push(position);
        const logits = scores.logits(row);
        for (const [token, logit] of expected.top) {
          assert.ok(Math.abs(logits[token] - logit) <= bound.logit, `${position}: ${logits[token]} for ${logit}`);
        }
        const [best, logit] = expected.top[0];
        const likelihood = Math.log(scores.probability(row, best));
        assert.ok(Math.abs(likelihood - (logit - expected.logsumexp)) <= bound.logit);
      });
      assert.deepEqual(compared, rows.map(({ position }) => position).sort((a, b) => a - b));
    }
  });
}
