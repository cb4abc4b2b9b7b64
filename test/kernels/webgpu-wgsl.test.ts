// What the kernels look like before any GPU sees them: bindings as they are declared to the device, sizes that every
// adapter has, constants in front. Needs no adapter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { numbered } from "../../kernels/webgpu/device.ts";
import type { Kernel } from "../../kernels/webgpu/device.ts";
import {
  activateKernel,
  attentionKernel,
  bestKernel,
  bestSlicesKernel,
  candidatesKernel,
  columnsPerThread,
  compactKernel,
  embedKernel,
  matmulKernel,
  mergeKernel,
  MOST_ROWS,
  normKernel,
  outputsPerGroup,
  rotateKernel,
  rowTile,
  softmaxKernel,
} from "../../kernels/webgpu/kernels.ts";
import {
  blockKernel,
  factorsKernel,
  greedyKernel,
  typicalKernel,
  walkKernel,
} from "../../kernels/webgpu/rule-kernels.ts";

const KERNELS: readonly Kernel[] = [
  ...(["f32", "f16", "bf16"] as const).map((kind) => matmulKernel({ kind }, 4)),
  ...(["b4", "b8"] as const).map((kind) => matmulKernel({ kind, block: 16, affine: true }, 64)),
  ...(["f32", "f16", "bf16"] as const).map((kind) => embedKernel({ kind }, true)),
  ...(["b4", "b8"] as const).map((kind) => embedKernel({ kind, block: 32, affine: true }, false)),
  normKernel({ delta: true, post: true, norm: true, layer: true, final: false }),
  rotateKernel({ headSize: 256, normed: "all", layer: false, rope: true }),
  attentionKernel(256, 4, false),
  attentionKernel(128, 8, true),
  mergeKernel(80),
  activateKernel("gelu", false),
  compactKernel(),
  bestKernel(),
  bestSlicesKernel(),
  softmaxKernel(),
  candidatesKernel(),
  factorsKernel,
  walkKernel,
  blockKernel,
  typicalKernel,
  greedyKernel,
];

for (const { name, code, bindings } of KERNELS) {
  test(`${name} declares the bindings that the device is told of`, () => {
    const declared = [...code.matchAll(/@group\(0\) @binding\((\d+)\) var<([^>]*)>/g)].map(([, at, kind]) => ({
      at: Number(at),
      access: kind === "uniform" ? "uniform" : kind === "storage, read" ? "read" : "write",
    }));
    assert.deepEqual(declared.sort((a, b) => a.at - b.at), bindings.map((access, at) => ({ at, access })));
    assert.ok(bindings.filter((access) => access !== "uniform").length <= 8, "every adapter has 8 storage buffers");
  });

  test(`${name} fits the smallest workgroups that adapters may have`, () => {
    const constants = new Map<string, number>();
    const evaluate = (expression: string): number => {
      const text = expression.replaceAll(/\b(\d+)u\b/g, "$1").replaceAll(
        /\b[A-Z][A-Z_]*\b/g,
        (word) => String(constants.get(word)),
      );
      return text.split("*").reduce((product, factor) => product * Number(factor), 1);
    };
    for (const [, word, value] of code.matchAll(/^const ([A-Z_]+) = ([\w* ]+);/gm)) {
      constants.set(word, evaluate(value));
    }
    const sizes = { f32: 4, u32: 4, vec2u: 8, vec4f: 16, Two: 16 } as const;
    let bytes = 0;
    for (const [, type, length] of code.matchAll(/var<workgroup> \w+: array<(\w+), ([^>]+)>/g)) {
      bytes += sizes[type as keyof typeof sizes] * evaluate(length);
    }
    assert.ok(bytes > 0 || !code.includes("workgroupBarrier"), "its shared memory was counted");
    assert.ok(bytes <= 16384, `${bytes} bytes of shared memory`);
    const threads = evaluate(/@workgroup_size\(([^)]*)\)/.exec(code)![1].replace(",", "*"));
    assert.ok(threads <= 256, `${threads} threads`);
  });

  test(`${name} says what it is, its shapes and its workgroup`, () => {
    const words = code.split("\n").filter((line) => line.startsWith("//")).join(" ");
    for (const wanted of [/Workgroup: \d+/, /Grid: \[/, /\[\w+/]) assert.match(words, wanted);
  });
}

test("a kernel is its constants, what passes share, the operation and the decoder of its weights", () => {
  const { code } = matmulKernel({ kind: "b4", block: 32, affine: true }, 16);
  const marks = code.split("\n").filter((line) => /^(?:const|struct|fn (?!main)|@compute)/.test(line));
  assert.deepEqual(marks, [
    "const ROWS = 16u;",
    "const COLUMNS = 4u;",
    "const PAIRED = false;",
    "const ACTIVATION = 0u;",
    "const BLOCK = 32u;",
    "const AFFINE = true;",
    "struct Pass {",
    `const MOST_ROWS = ${MOST_ROWS}u;`,
    "fn tanh_safe(x: f32) -> f32 {",
    "fn erfc_positive(x: f32) -> f32 {",
    "fn act(x: f32) -> f32 {",
    "struct Shape {",
    "struct Eight {",
    "const LANES = 16u;",
    "const GROUPS = 4u;",
    "const SUMS = ROWS * COLUMNS;",
    "const STRETCH = 4u; // sums that are exchanged at a time",
    "fn chain(sum: f32, w: Eight, a: vec4f, b: vec4f) -> f32 {",
    "fn total(group: u32, sum: u32, column: u32) -> f32 {",
    "@compute @workgroup_size(16, 4)",
    "fn nibbles4(word: u32) -> vec4f {",
    "fn weights8(row: u32, unit: u32) -> Eight {",
  ]);
});

test("up to 64 rows read the weights once", () => {
  for (let rows = 1; rows <= 64; rows++) {
    const tile = rowTile(rows);
    assert.ok(tile >= rows && tile < 2 * rows + 1);
    assert.equal(outputsPerGroup(tile), 4 * columnsPerThread(tile));
  }
  assert.equal(Math.ceil(MOST_ROWS / rowTile(MOST_ROWS)), 2);
});

test("source is shown as compilers count it", () => {
  assert.equal(numbered("a\nb"), "   1 | a\n   2 | b");
});
