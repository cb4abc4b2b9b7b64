// GPTQ- and AWQ-packed weights through the engine: the file's own numbers in `exact`, and what conversion keeps of them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { convertModel } from "../../kernels/onnx/conversion.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { Engine } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { folderOf } from "../model/support/folder.ts";
import { PACKED_CONFIG, packedLlama, PACKINGS } from "../model/support/packed.ts";
import { withFloatActivations } from "./support/float-activations.ts";
import { farOff } from "./support/golden.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const tokens = Int32Array.from({ length: 16 }, (_, i) => (i * 5 + 3) % 8);

async function rows(engine: Engine): Promise<readonly ArrayLike<number>[]> {
  const sequence = engine.open();
  try {
    return await runChain(sequence, tokens, tokens.length);
  } finally {
    sequence.close();
    engine.close();
  }
}

const load = (source: ModelSource, format: WeightFormat) =>
  onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });

for (const [name, quantization_config, make] of PACKINGS) {
  test(`a Llama packed by ${name} computes its own numbers, also after conversion`, async () => {
    const source = await openModel(folderOf({ ...PACKED_CONFIG, quantization_config }, packedLlama(make)));
    const reference = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir });
    const logits = Float32Array.from((await rows(reference)).flatMap((row) => [...Array.from(row)]));
    const known = { tokens, logits };
    assert.ok(logits.some((value) => Math.abs(value) > 0.1));
    const off = async (engine: Promise<Engine>) => farOff(await rows(await engine), known);
    assert.ok(await off(load(source, "float32")) < 1e-5);
    assert.ok(await off(withFloatActivations(source, cacheDir)) < 1e-5, "the weights of exact");
    const exact = await rows(await load(source, "exact"));
    assert.ok(farOff(exact, known) < 0.03, `${farOff(exact, known)} off with rows rounded to 8 bits`);
    const path = join(cacheDir, `${name}.hunch`);
    await convertModel(source, "exact", path);
    const converted = await openModel(path);
    assert.deepEqual(await rows(await load(converted, "exact")), exact);
    converted.close();
    source.close();
  });
}
