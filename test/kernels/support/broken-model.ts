// Models of which one number is broken, as damaged downloads and failed conversions leave them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Backend, Rows } from "../../../src/backend.ts";
import type { WeightFormat } from "../../../src/weight-format.ts";
import type { VerifyRequest } from "../../../src/device-rule.ts";
import { HunchError } from "../../../src/errors.ts";
import type { ModelSource } from "../../../src/model/source.ts";
import { chainTree } from "../../../src/tree.ts";
import { randomModel, type RandomModelOptions } from "./random-model.ts";

const OPTIONS: RandomModelOptions = {
  spec: { context: 32, vocab: 64, norm: { kind: "rms", epsilon: 1e-5 }, logitSoftcap: undefined },
  layer: { parallel: false },
  attention: { heads: 2, kvHeads: 1, headSize: 32, softcap: undefined, window: undefined },
  feedForward: { gated: true, activation: "silu" },
  extras: {
    tied: false,
    outputBias: false,
    positions: false,
    qkvBias: false,
    attentionOutputBias: false,
    feedForwardBias: false,
    normBias: false,
    qkNorm: "none",
    norms: "before",
  },
};

/** The model with all numbers as they should be. */
export function soundModel(type: RandomModelOptions["type"] = "F32"): ModelSource {
  return randomModel(3, { ...OPTIONS, type }).source;
}

/** Tensors of that model that are in the way of every token. */
export const TENSORS = [
  "embed.weight",
  "norm.weight",
  "output.weight",
  ...["norm", "q", "k", "v", "output"].map((part) => `layers.0.attention.${part}.weight`),
  ...["norm", "gate", "up", "down"].map((part) => `layers.0.feedForward.${part}.weight`),
];

/** The same with one number of `name` replaced: `value` in F32; in Q8_0, a block's scale, for which `value` is bits. */
export function brokenModel(name: string, value: number, type: RandomModelOptions["type"] = "F32"): ModelSource {
  const sound = soundModel(type);
  const whole = sound.tensor(name);
  const rows = whole.shape.length === 1 ? 1 : whole.shape[0];
  const columns = whole.shape[whole.shape.length - 1];
  const row = Math.min(rows - 1, 5);
  const bytes = whole.bytes();
  const floats = whole.floats();
  if (whole.type === "F32") floats[row * columns + 2] = value;
  else {
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(row * bytes.length / rows, value, true);
    floats.fill(value === 0x7c00 ? Infinity : NaN, row * columns, row * columns + 32);
  }
  const raw = whole.type === "F32" ? new Uint8Array(floats.buffer) : bytes;
  const part = <T extends Float32Array | Uint8Array>(all: T, from = 0, to = rows) =>
    all.slice(from * all.length / rows, to * all.length / rows) as T;
  const broken = { ...whole, bytes: part.bind(null, raw), floats: part.bind(null, floats) } as typeof whole;
  return {
    ...sound,
    path: `broken ${name}`,
    tensor: (wanted) => wanted === name ? broken : sound.tensor(wanted),
    hash: () => Promise.resolve(createHash("sha256").update(`${type} ${name} ${value}`).digest("hex")),
  };
}

/** The sound model is answered, every broken one refused by name: when it is loaded, or when it computes. */
export async function refusesAll(
  backend: Backend,
  format: WeightFormat,
  cacheDir: string,
  names: readonly string[] = TENSORS,
  type: "F32" | "Q8_0" = "F32",
): Promise<void> {
  const ask = async (source: ModelSource, rows: Partial<Rows>) => {
    const engine = await backend.load(source, { format, strict: true, cacheDir });
    try {
      const tokens = Int32Array.of(1, 5, 3);
      const scores = await engine.open().forward({ tokens, ...rows });
      return scores.verified?.verdict.next ?? scores.argmax(scores.rows - 1);
    } finally {
      engine.close();
    }
  };
  assert.ok(await ask(soundModel(type), { need: "argmax" }) >= 0);
  const values = type === "F32" ? [NaN, Infinity, -Infinity] : [0x7e00, 0x7c00];
  for (const name of names) {
    for (const [i, value] of values.entries()) {
      const rows: Partial<Rows>[] = [{ need: "argmax" }, { need: "probabilities", score: "last" }, { verify: JUDGE }];
      await assert.rejects(ask(brokenModel(name, value, type), rows[i]), (error: unknown) => {
        assert.ok(error instanceof HunchError, String(error));
        assert.equal(error.kind, "input");
        assert.equal(error.place.file, `broken ${name}`);
        return true;
      }, `${name} ${value}`);
    }
  }
}

const JUDGE: VerifyRequest = { rule: { name: "greedy" }, tree: chainTree([5, 3]), uniforms: new Float64Array(6) };
