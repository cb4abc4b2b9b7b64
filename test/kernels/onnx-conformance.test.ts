// ONNX Runtime keeps the contract of engines in every weight format, on random models that between them use every
// feature of a spec, and computes what the reference engine computes.
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { engineSuite } from "../../src/check/conformance/engine.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { part } from "../support/part.ts";
import { explained, randomModel, type RandomModelOptions } from "./support/random-model.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();

/** What the oracle makes of a text without a pattern. */
async function knownText(source: ModelSource) {
  const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const tokens = Int32Array.from({ length: 80 }, (_, i) => (i * 7919 + (i >> 2) * 31) % source.spec.vocab);
  const rows = await runChain(engine.open(), tokens, tokens.length);
  return { tokens, logits: rows.flatMap((row) => [...row]) };
}

interface Setting {
  readonly format: WeightFormat;
  readonly seeds: readonly number[];
  /** Rounding of activations to 8 bits is all that may differ from the oracle, which has the file's own numbers. */
  readonly tolerance: number;
  readonly options?: RandomModelOptions;
}

const plain: RandomModelOptions = {
  spec: { norm: { kind: "rms", epsilon: 1e-5 } },
  extras: { norms: "before", normBias: false },
};

const experts: RandomModelOptions = { feedForward: { experts: { count: 6, used: 2, share: "all" } } };

const SETTINGS: readonly Setting[] = [
  { format: "float32", seeds: [0, 1, 2, 5, 9, 10, 15, 20], tolerance: 1e-4 },
  { format: "exact", seeds: [3, 4, 11], tolerance: 0.05, options: { type: "Q4_0" } },
  { format: "exact", seeds: [5, 13], tolerance: 0.05, options: { type: "Q4_1" } },
  { format: "exact", seeds: [16, 30], tolerance: 0.05, options: { type: "Q8_0" } },
  { format: "float32", seeds: [7], tolerance: 1e-4, options: experts },
  // A seed where the rounding of activations chooses no other expert.
  { format: "exact", seeds: [15], tolerance: 0.05, options: { type: "Q8_0", ...experts } },
  { format: "int8", seeds: [5, 24], tolerance: 0.1, options: { type: "Q4_1", ...plain } },
];

for (const { format, seeds, tolerance, options } of SETTINGS) {
  for (const seed of part(seeds, 1)) {
    const { source, summary } = randomModel(seed, { ...options, spec: { context: 96, ...options?.spec } });
    const title = `onnx ${format} on random model ${seed} in ${options?.type ?? "F32"}`;
    const known = await knownText(source);
    const oracle = () => referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
    const load = () => onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });
    for (const { name, run } of engineSuite(title, load, { known, tolerance, oracle })) {
      test(name, explained(summary, run));
    }
  }
}
