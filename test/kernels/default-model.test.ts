// The default model on ONNX Runtime against numbers from an engine that none of us wrote: transformers on torch, in
// float32, from the same file (test/fixtures/smollm2/golden.json says how).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import type { Engine } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { openModel } from "../../src/model/open.ts";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { temporaryCache } from "./support/cache.ts";

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
const cacheDir = temporaryCache(after);

/** What a format may differ by: likelihood in parts, the margin under which the best token may be another, logits. */
const BOUNDS: Readonly<Record<WeightFormat, { nll: number; margin: number; logit: number }>> = {
  exact: { nll: 0.003, margin: 0.5, logit: 1 },
  int8: { nll: 0.01, margin: 1.2, logit: 1.5 },
  float32: { nll: 0.0002, margin: 0.002, logit: 1e-3 },
};

/** Scores `tokens` in chunks after each other; `visit` sees every position once. */
async function score(
  engine: Engine,
  tokens: Int32Array,
  visit: (position: number, row: number, scores: import("../../src/backend.ts").Scores) => void,
): Promise<void> {
  const sequence = engine.open();
  for (let at = 0; at < tokens.length; at += engine.maxRows) {
    const part = tokens.subarray(at, at + engine.maxRows);
    const scores = await sequence.forward({ tokens: part, need: "probabilities" });
    part.forEach((_, row) => visit(at + row, row, scores));
    sequence.keep(Int32Array.from(part.keys()));
  }
  sequence.close();
}

for (const [format, bound] of Object.entries(BOUNDS) as [WeightFormat, typeof BOUNDS["exact"]][]) {
  const loaded = onnxBackend.load(source, { format, strict: true, cacheDir });
  loaded.catch(() => {}); // each test below reports it
  after(async () => (await loaded).close());

  test(`${format}: the likelihood of two texts is the reference's within ${bound.nll * 100}%`, async () => {
    const engine = await loaded;
    for (const [name, { windows, window, nll_per_token }] of Object.entries(golden.nll)) {
      const ids = source.tokenizer.encode(fixture(name.replace(".jsonl", ".txt")));
      let [sum, count] = [0, 0];
      for (let i = 0; i < windows; i++) {
        const tokens = ids.subarray(i * window, (i + 1) * window);
        assert.equal(tokens.length, window);
        await score(engine, tokens, (position, row, scores) => {
          if (position + 1 === window) return;
          sum -= Math.log(scores.probability(row, tokens[position + 1]));
          count++;
        });
      }
      const difference = sum / count / nll_per_token - 1;
      assert.ok(Math.abs(difference) <= bound.nll, `${name}: ${difference * 100}% off`);
    }
  });

  test(`${format}: greedy decoding follows the reference up to a margin under ${bound.margin}`, async () => {
    const engine = await loaded;
    for (const { prompt_ids, ids, margins } of golden.greedy) {
      const tokens = Int32Array.from([...prompt_ids, ...ids]);
      // Teacher-forced: with --strict a chain has the bits of decoding token by token.
      const best: number[] = [];
      await score(engine, tokens, (position, row, scores) => {
        if (position >= prompt_ids.length - 1) best.push(scores.argmax(row));
      });
      const differs = ids.findIndex((id, i) => best[i] !== id);
      const excused = margins.findIndex((margin) => margin < bound.margin);
      assert.ok(differs < 0 || (excused >= 0 && excused <= differs), `step ${differs}, margin ${margins[differs]}`);
    }
  });

  test(`${format}: the largest logits of three prompts are the reference's within ${bound.logit}`, async () => {
    const engine = await loaded;
    for (const { prompt_ids, rows } of golden.rows) {
      await score(engine, Int32Array.from(prompt_ids), (position, row, scores) => {
        const expected = rows.find((golden) => golden.position === position);
        if (!expected) return;
        const logits = scores.logits(row);
        for (const [token, logit] of expected.top) {
          assert.ok(Math.abs(logits[token] - logit) <= bound.logit, `${position}: ${logits[token]} for ${logit}`);
        }
        const [best, logit] = expected.top[0];
        const likelihood = Math.log(scores.probability(row, best));
        assert.ok(Math.abs(likelihood - (logit - expected.logsumexp)) <= bound.logit);
      });
    }
  });
}
