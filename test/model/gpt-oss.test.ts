// gpt-oss folders: experts in MXFP4 as they are published, or as the training programs write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { readSafetensors } from "../../src/model/files/safetensors.ts";
import { openModel } from "../../src/model/open.ts";
import { folderOf, readConfig, type Stored } from "./support/folder.ts";

const FOLDER = "test/fixtures/tiny/gpt_oss";
const [EXPERTS, WIDTH, HIDDEN] = [4, 32, 32];

function stored(): Map<string, Stored> {
  const { file, tensors } = readSafetensors(`${FOLDER}/model.safetensors`);
  const all = [...tensors].map(([name, { dtype, shape, offset, bytes }]) =>
    [name, { dtype, shape, bytes: file.read(offset, bytes, name).slice() }] as const
  );
  file.close();
  return new Map(all);
}

test("experts that are not quantised are the same, [experts, in, out] with gates and ups in turn", async () => {
  const packed = await openModel(FOLDER);
  const tensors = stored();
  for (const name of [...tensors.keys()].filter((name) => /_(blocks|scales)$/.test(name))) tensors.delete(name);
  packed.spec.layers.forEach((_, n) => {
    const matrix = (expert: number, part: string) =>
      packed.tensor(`layers.${n}.feedForward.experts.${expert}.${part}.weight`).floats();
    const gateUp = new Float32Array(EXPERTS * WIDTH * 2 * HIDDEN), down = new Float32Array(EXPERTS * HIDDEN * WIDTH);
    for (let expert = 0; expert < EXPERTS; expert++) {
      const [gate, up, out] = ["gate", "up", "down"].map((part) => matrix(expert, part));
      for (let h = 0; h < HIDDEN; h++) {
        for (let w = 0; w < WIDTH; w++) {
          gateUp[(expert * WIDTH + w) * 2 * HIDDEN + 2 * h] = gate[h * WIDTH + w];
          gateUp[(expert * WIDTH + w) * 2 * HIDDEN + 2 * h + 1] = up[h * WIDTH + w];
          down[(expert * HIDDEN + h) * WIDTH + w] = out[w * HIDDEN + h];
        }
      }
    }
    const f32 = (values: Float32Array, ...shape: number[]) => ({
      dtype: "F32",
      shape: [EXPERTS, ...shape],
      bytes: new Uint8Array(values.buffer),
    });
    tensors.set(`model.layers.${n}.mlp.experts.gate_up_proj`, f32(gateUp, WIDTH, 2 * HIDDEN));
    tensors.set(`model.layers.${n}.mlp.experts.down_proj`, f32(down, HIDDEN, WIDTH));
  });
  const { quantization_config: _, ...config } = readConfig(FOLDER);
  const plain = await openModel(folderOf(config, Object.fromEntries(tensors)));
  assert.deepEqual(plain.spec, packed.spec);
  assert.deepEqual(new Set(plain.names), new Set(packed.names));
  for (const name of plain.names) assert.deepEqual(plain.tensor(name).floats(), packed.tensor(name).floats(), name);
  plain.close();
  packed.close();
});

test("codes without scales, and experts of another number, are refused by name", async () => {
  const cases: [change: (tensors: Map<string, Stored>) => void, field: RegExp][] = [
    [
      (tensors) => tensors.delete("model.layers.1.mlp.experts.down_proj_scales"),
      /layers\.1\.mlp\.experts\.down_proj_blocks/,
    ],
    [(tensors) => {
      const name = "model.layers.0.mlp.experts.down_proj_bias";
      tensors.set(name, { dtype: "F16", shape: [2, WIDTH], bytes: new Uint8Array(4 * WIDTH) });
    }, /layers\.0\.mlp\.experts\.down_proj_bias/],
  ];
  for (const [change, field] of cases) {
    const tensors = stored();
    change(tensors);
    await assert.rejects(openModel(folderOf(readConfig(FOLDER), Object.fromEntries(tensors))), (error) => {
      assert.ok(error instanceof HunchError && error.kind === "input");
      assert.match(error.line, field);
      return true;
    });
  }
});

test("each of the experts' biases must be there", async () => {
  for (const part of ["gate_up_proj", "down_proj"]) {
    const tensors = stored(), name = `model.layers.1.mlp.experts.${part}_bias`;
    assert.ok(tensors.delete(name));
    await assert.rejects(
      openModel(folderOf(readConfig(FOLDER), Object.fromEntries(tensors))),
      (error) => error instanceof HunchError && error.line.includes("lacks a tensor") && error.line.includes(name),
    );
  }
});
