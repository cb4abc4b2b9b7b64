// The reference engine keeps the contract of engines, on random models that use every feature of a spec.
import { test } from "node:test";
import { engineSuite } from "../../src/check/conformance/engine.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { explained, randomModel } from "./support/random-model.ts";

const options = { format: "float32", strict: true, cacheDir: "" } as const;

for (const seed of [1, 2, 3, 4, 5, 6]) {
  const { source, summary } = randomModel(seed, { spec: { context: 96 } });
  const load = () => referenceBackend.load(source, options);
  for (const { name, run } of engineSuite(`reference on random model ${seed}`, load)) {
    test(name, explained(summary, run));
  }
}
