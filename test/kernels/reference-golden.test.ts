// The reference engine computes what other people's engines computed, from every kind of file.
import { test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { skippable } from "../support/skip.ts";
import { goldenCases } from "./support/golden.ts";

const options = { format: "float32", strict: true, cacheDir: "" } as const;

for (const { name, run } of goldenCases((source) => referenceBackend.load(source, options), 1e-5)) {
  test(name, skippable(run));
}
