// What the WebGPU engine does not compute it refuses by name, before any weight is uploaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { UnsupportedError } from "../../src/errors.ts";
import { randomModel } from "./support/random-model.ts";

test("mixtures of experts are refused by name", async () => {
  const { source } = randomModel(7, { feedForward: { experts: { count: 6, used: 2, share: "chosen" } } });
  for (const { refusal } of webgpuBackend.offers!(source)) {
    assert.match(refusal ?? "", /mixtures of experts|own numbers/);
  }
  const options = { format: "auto", strict: true, cacheDir: "" } as const;
  await assert.rejects(
    webgpuBackend.load(source, options),
    (error) => error instanceof UnsupportedError && /mixtures of experts.*--backend onnx/.test(error.line),
  );
});
