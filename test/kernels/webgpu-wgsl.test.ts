// What the kernels look like before any GPU sees them: bindings as they are declared to the device, sizes that every
// adapter has, constants in front. Needs no adapter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kernel, numbered } from "../../kernels/webgpu/device.ts";
import {
  activateKernel,
  attentionKernel,
  bestKernel,
  bestSlicesKernel,
  candidatesKernel,
  combineKernel,
  compactKernel,
  embedKernel,
  matmulKernel,
  mergeKernel,
  MOST_ROWS,
  normKernel,
  outputsPerGroup,
  rotateKernel,
  routeKernel,
  rowTile,
  softmaxKernel,
  tapKernel,
  type WeightForm,
} from "../../kernels/webgpu/kernels.ts";
import { type Features, PLAIN } from "../../kernels/webgpu/features.ts";
import { blockKernel } from "../../kernels/webgpu/rules/block.ts";
import { factorsKernel } from "../../kernels/webgpu/rules/float64.ts";
import { greedyKernel } from "../../kernels/webgpu/rules/greedy.ts";
import { typicalKernel } from "../../kernels/webgpu/rules/typical.ts";
import { walkKernel } from "../../kernels/webgpu/rules/walking.ts";

const Q4_0 = { kind: "b4", block: 32, affine: false, half: { shift: 0 } } as const;
const Q4_K = { kind: "b4", block: 32, affine: true } as const;
const Q6_K = { kind: "b8", block: 16, affine: false } as const;

const KERNELS: readonly Kernel[] = [
  ...(["f32", "f16", "bf16"] as const).map((kind) => embedKernel({ kind }, true, PLAIN)),
  embedKernel({ kind: "f16" }, false, { ...PLAIN, float16: true }),
  ...[Q4_0, Q4_K, Q6_K].map((form) => embedKernel(form, false, PLAIN)),
  ...(["f32", "f16", "bf16"] as const).map((kind) => matmulKernel({ kind }, 4, PLAIN)),
  matmulKernel({ kind: "f16" }, 1, { ...PLAIN, float16: true }),
  ...[Q4_0, Q4_K, Q6_K].map((form) => matmulKernel(form, 64, PLAIN)),
  ...[2, 4, 8, 16].map((subgroups) => matmulKernel(Q4_0, 16, { ...PLAIN, subgroups })),
  normKernel({ delta: true, post: true, norm: true, layer: true, final: false }),
  normKernel({ delta: true, post: true, norm: false, layer: false, final: false }),
  rotateKernel({ headSize: 256, normed: "all", layer: false, rope: true }),
  attentionKernel(256, 4, false),
  attentionKernel(128, 8, true),
  attentionKernel(64, 4, true, true),
  mergeKernel(80),
  mergeKernel(64, true),
  activateKernel("gelu", false),
  activateKernel("silu", true, true),
  ...[true, false].map((shared) =>
    matmulKernel(shared ? Q6_K : { kind: "f32" }, 1, PLAIN, { slots: { used: 4, shared } })
  ),
  routeKernel(4, true),
  combineKernel(8),
  compactKernel(),
  bestKernel(),
  bestSlicesKernel(),
  softmaxKernel(),
  candidatesKernel(),
  tapKernel(),
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
    const sizes = { f32: 4, u32: 4, vec2f: 8, vec2u: 8, vec3u: 16, vec4f: 16, Two: 16 } as const;
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

test("a kernel is its constants, what passes share, the operation, its sums and the decoder of its weights", () => {
  const { code } = matmulKernel(Q4_0, 16, { ...PLAIN, subgroups: 4 });
  const marks = code.split("\n").filter((line) => /^(?:enable|const|struct|fn (?!main)|@compute)/.test(line));
  assert.deepEqual(marks, [
    "enable subgroups;",
    "const ROWS = 16u;",
    "const COLUMNS = 4u;",
    "const ROW_GROUPS = 1u;",
    "const AHEAD = 1u;",
    "const PAIRED = false;",
    "const ACTIVATION = 0u;",
    "const SLOTS = 1u;",
    "const SHARED = 1u;",
    "const BLOCK = 32u;",
    "const AFFINE = false;",
    "const HALF = true;",
    "const SHIFT = 0u;",
    "const KEEPS_SUBNORMALS = false;",
    "struct Pass {",
    "fn tanh_safe(x: f32) -> f32 {",
    "fn erfc_positive(x: f32) -> f32 {",
    "fn act(x: f32) -> f32 {",
    "struct Shape {",
    "struct Eight {",
    "const LANES = 16u;",
    "const THREADS = 64u;",
    "const COLUMN_GROUPS = 4 / ROW_GROUPS;",
    "const PAIRS = COLUMNS / 2; // of neighbouring outputs: a thread keeps them together",
    "const ITEMS = ROWS * PAIRS;",
    "fn chain(sum: vec2f, v: Eight, w: Eight, a: vec4f, b: vec4f) -> vec2f {",
    "fn add_unit(sums: ptr<function, array<vec2f, ITEMS>>, row0: u32, matrix: u32, column0: u32, unit: u32) {",
    "fn finished(sum: f32, matrix: u32, column: u32) -> f32 {",
    "@compute @workgroup_size(16, 4)",
    "fn shuffle(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32, kept: u32, stride: u32) {",
    "fn exchange(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32, kept: u32, stride: u32, turn: u32) {",
    "fn fold(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32) {",
    "fn halves(word: u32) -> vec2f {",
    "fn scale_and_offset(row: u32, unit: u32) -> vec2f {",
    "fn nibbles4(word: u32) -> vec4f {",
    "fn weights8(row: u32, unit: u32) -> Eight {",
    "fn matrix_of(row: u32) -> u32 {",
  ]);
});

test("lanes of one subgroup are added by shuffles, and the others by workgroup memory", () => {
  const steps = (subgroups: number) => {
    const { code } = matmulKernel(Q4_0, 1, { ...PLAIN, subgroups });
    return [...code.matchAll(/^ {2}(shuffle|exchange)\(sums, thread, \d+u, (\d+)u/gm)].map(([, by, stride]) =>
      by + stride
    );
  };
  assert.deepEqual(steps(1), ["exchange1", "exchange2", "exchange4", "exchange8"]);
  assert.deepEqual(steps(4), ["shuffle1", "shuffle2", "exchange4", "exchange8"]);
  assert.deepEqual(steps(16), ["shuffle1", "shuffle2", "shuffle4", "shuffle8"]);
});

test("features are enabled where they are used and nowhere else", () => {
  const used = (form: WeightForm, features: Partial<Features>) => {
    const { code } = matmulKernel(form, 4, { ...PLAIN, ...features });
    const [enabled] = /^(?:enable \w+;\n)*/.exec(code)!;
    assert.equal(code.includes("f16>"), enabled.includes("f16"));
    assert.equal(code.includes("subgroupShuffleXor("), enabled.includes("subgroups"));
    assert.equal(/workgroupBarrier|var<workgroup>/.test(code), features.subgroups !== 16);
    return [...enabled.matchAll(/enable (\w+)/g)].map(([, name]) => name);
  };
  assert.deepEqual(used(Q4_0, {}), []);
  assert.deepEqual(used(Q4_0, { float16: true }), []);
  assert.deepEqual(used({ kind: "f16" }, { float16: true }), ["f16"]);
  assert.deepEqual(used({ kind: "f16" }, { float16: true, subgroups: 16 }), ["subgroups", "f16"]);
  assert.deepEqual(used({ kind: "bf16" }, { float16: true, subgroups: 8 }), ["subgroups"]);
});

test("up to 64 rows read the weights once, and pairs of outputs stay together", () => {
  for (let rows = 1; rows <= 64; rows++) {
    const tile = rowTile(rows);
    assert.ok(tile >= rows && tile < 2 * rows + 1);
    assert.equal(outputsPerGroup(tile) % 2, 0);
  }
  assert.equal(Math.ceil(MOST_ROWS / rowTile(MOST_ROWS)), 2);
});

test("source is shown as compilers count it", () => {
  assert.equal(numbered("a\nb"), "   1 | a\n   2 | b");
});
