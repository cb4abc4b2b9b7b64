// ONNX Runtime computes what other people's engines computed, from every kind of file.
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { skippable } from "../support/skip.ts";
import { goldenCases } from "./support/golden.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const options = { format: "float32", strict: true, threads: 1, cacheDir } as const;

const oracle = (source: ModelSource) => referenceBackend.load(source, options);

for (const { name, run } of goldenCases((source) => onnxBackend.load(source, options), 1e-5, { oracle })) {
  test(name, skippable(run));
}
