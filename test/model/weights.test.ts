// Every GGML type decodes to the very numbers of gguf-py, and the form for engines stands for the same numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blocks } from "../../src/model/tensors/blocks.ts";
import { readSafetensors, safeFloats } from "../../src/model/files/safetensors.ts";
import type { Tensor, TensorType } from "../../src/model/tensors/tensor.ts";
import { blockElements, bytesOf, decode } from "../../src/model/tensors/weights.ts";

const { tensors } = readSafetensors("test/fixtures/tiny/ggml-types.safetensors");
const types = [...tensors.keys()].filter((name) => name.endsWith(".raw")).map((name) => name.slice(0, -4));

function fixture(type: string) {
  const raw = tensors.get(`${type}.raw`)!;
  const values = safeFloats(tensors.get(`${type}.values`)!);
  return { raw: raw.file.read(raw.offset, raw.bytes, raw.name), values };
}

test("the fixture has seventeen types", () => {
  assert.equal(types.length, 17);
});

for (const type of types as TensorType[]) {
  test(`${type} decodes to the exact float32 numbers`, () => {
    const { raw, values } = fixture(type);
    assert.equal(raw.length, bytesOf(type, values.length));
    const got = decode(type, raw, values.length);
    for (let i = 0; i < values.length; i++) {
      assert.ok(Object.is(got[i], values[i]) || got[i] === values[i], `element ${i}: ${got[i]}, not ${values[i]}`);
    }
  });

  if (blockElements(type) > 1) {
    test(`${type} as blocks stands for the same numbers`, () => {
      const { raw, values } = fixture(type);
      // Three rows of the whole blocks, so that rows are taken apart as well.
      const columns = values.length / 3;
      const tensor: Tensor = {
        name: type,
        shape: [3, columns],
        type,
        bytes: (from = 0, to = 3) => raw.slice(bytesOf(type, from * columns), bytesOf(type, to * columns)),
        floats: () => values,
      };
      const whole = blocks(tensor)!;
      const part = blocks(tensor, 1, 3)!;
      assert.equal(part.rows, 2);
      assert.deepEqual(part.codes, whole.codes.slice(whole.codes.length / 3));
      const { bits, block, codes, scales, offsets } = whole;
      assert.ok(block === 16 || block === 32);
      for (let i = 0; i < values.length; i++) {
        const code = bits === 8 ? codes[i] : i & 1 ? codes[i >> 1] >> 4 : codes[i >> 1] & 15;
        const group = Math.floor(i / block);
        const value = (code - 2 ** (bits - 1)) * scales[group] + (offsets?.[group] ?? 0);
        const size = Math.abs(scales[group]) * 2 ** bits + Math.abs(offsets?.[group] ?? 0);
        assert.ok(Math.abs(value - values[i]) <= size * 2 ** -23, `element ${i}: ${value}, not ${values[i]}`);
      }
    });
  }
}

test("half precision covers subnormal, infinite and undefined numbers", () => {
  const raw = new Uint8Array(Uint16Array.of(0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00, 0x3c00, 0x83ff).buffer);
  assert.deepEqual(
    [...decode("F16", raw, 7)],
    [2 ** -24, -0, Infinity, -Infinity, NaN, 1, -1023 * 2 ** -24].map(Math.fround),
  );
});
