// Variants that go by the name of another architecture agree with the program that trained or converted them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../src/model/open.ts";
import { readSafetensors, safeFloats } from "../../src/model/files/safetensors.ts";
import { farOff, fixture } from "./support/golden.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

for (const name of ["olmo3-window8", "granite4-dense-nope"]) {
  for (const backend of [referenceBackend, onnxBackend]) {
    test(`${name} agrees with transformers on ${backend.name}, in one pass and token by token`, async () => {
      const { file, tensors } = readSafetensors(fixture(`tiny/variants/${name}.expected.safetensors`));
      const tokens = Int32Array.from(safeFloats(tensors.get("input_ids")!));
      const logits = Float32Array.from(safeFloats(tensors.get("logits")!));
      file.close();
      const source = await openModel(fixture(`tiny/variants/${name}.gguf`));
      const engine = await backend.load(source, { format: "float32", strict: true, cacheDir });
      for (const width of [tokens.length, 1]) {
        const rows = await runChain(engine.open(), tokens, width);
        assert.ok(farOff(rows, { tokens, logits }) < 2e-5, `${farOff(rows, { tokens, logits })} off`);
      }
      engine.close();
      source.close();
    });
  }
}
