// Each field that a configuration can have, one at a time, as transformers computes it (scripts/config-golden.py): the
// model agrees with transformers, or the field is named, as ignored or in a refusal.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { folderWith, type Json, readConfig } from "./support/folder.ts";

interface Case {
  readonly model: string;
  /** In `text_config`, where there is one. */
  readonly change: Json;
  /** Of the last row, the first of each eighth; absent where they are those of the unchanged model. */
  readonly logits?: readonly number[];
}

const CASES: readonly Case[] = JSON.parse(readFileSync("test/fixtures/config-fields.json", "utf8"));
const TOKENS = [1, 17, 240, 9, 33, 33, 101, 7, 64, 201, 5, 90, 12, 250, 3, 77, 150, 41, 8, 19];
const fixture = (name: string) => `test/fixtures/tiny/${name}`;

/** The model with this change of its configuration, or the complaint; and what was said on the way. */
async function opened({ model, change }: Pick<Case, "model" | "change">) {
  const said: string[] = [];
  try {
    const config = readConfig(fixture(model));
    const text = config.text_config as Json | undefined;
    const changed = text ? { ...config, text_config: { ...text, ...change } } : { ...config, ...change };
    const folder = folderWith(changed, fixture(model));
    return { source: await openModel(folder, { warn: (line) => said.push(line) }), said: said.join() };
  } catch (error) {
    if (error instanceof HunchError) return { said: error.line };
    throw error;
  }
}

/** What the golden file keeps of it. */
async function lastRow(source: ModelSource): Promise<Float64Array> {
  const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const rows = await runChain(
    engine.open(),
    Int32Array.from(TOKENS, (token) => token % source.spec.vocab),
    TOKENS.length,
  );
  engine.close();
  const last = rows[rows.length - 1];
  return Float64Array.from({ length: 8 }, (_, i) => last[i * Math.floor(last.length / 8)]);
}

/** What a model computes by, besides its weights. */
function arithmetic({ spec, names }: ModelSource): string {
  const by = { ...spec, context: 0 };
  return JSON.stringify([by, names], (_, value) => value instanceof Float64Array ? [...value] : value);
}

/** As a fraction of the largest score that was kept. */
function farOff(row: Float64Array, expected: ArrayLike<number>): number {
  const scale = Math.max(...row.map(Math.abs));
  return Math.max(...row.map((value, i) => Math.abs(value - expected[i]))) / scale;
}

async function judge(plain: ModelSource, { model, change, logits }: Case): Promise<string | undefined> {
  const { source, said } = await opened({ model, change });
  // Sizes are compared with the tensors, and the tensor is named.
  const named = [...Object.keys(change), "the hyper-parameters ask for"].some((word) => said.includes(word));
  if (!source) return named ? undefined : `refused without its name: ${said}`;
  try {
    if (source.spec.context < TOKENS.length) return undefined; // the text would be refused
    const same = arithmetic(source) === arithmetic(plain);
    if (named || !logits && same) return undefined;
    const expected = logits ?? await lastRow(plain);
    const off = farOff(await lastRow(source), expected);
    return off < 1e-4 ? undefined : `${off.toExponential(1)} off${same ? ", as if the field were not there" : ""}`;
  } finally {
    source.close();
  }
}

for (const model of new Set(CASES.map(({ model }) => model))) {
  test(`${model} agrees with transformers whatever its configuration says, or names what it leaves out`, async () => {
    const plain = (await opened({ model, change: {} })).source!;
    const wrong: string[] = [];
    for (const example of CASES.filter((example) => example.model === model)) {
      const complaint = await judge(plain, example);
      if (complaint) wrong.push(`${JSON.stringify(example.change)}: ${complaint}`);
    }
    plain.close();
    assert.deepEqual(wrong, []);
  });
}
