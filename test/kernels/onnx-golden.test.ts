// ONNX Runtime computes what other people's engines computed, from every kind of file.
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { skippable } from "../support/skip.ts";
import { goldenCases } from "./support/golden.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const options = { format: "float32", strict: true, threads: 1, cacheDir } as const;

for (const { name, run } of goldenCases((source) => onnxBackend.load(source, options), 1e-4)) {
  test(name, skippable(run));
}
