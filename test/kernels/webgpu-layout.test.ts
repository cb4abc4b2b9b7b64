// What kernels are bound to and told is what their WGSL declares. Needs no GPU.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embedKernel, matmulKernel, normKernel, SHAPES } from "../../kernels/webgpu/kernels.ts";
import { PLAIN } from "../../kernels/webgpu/features.ts";
import { kernelOf, Structure } from "../../kernels/webgpu/layout.ts";
import { walkKernel } from "../../kernels/webgpu/rules/walking.ts";

const CODE = `
struct Shape {
  width: u32, // of x, in vec4
  scale: f32,
  biased: u32,
}

@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
`;

test("bindings are in the order of their numbers, wherever the code declares them", () => {
  assert.deepEqual(kernelOf("k", CODE).bindings, ["uniform", "write", "read"]);
  assert.throws(() => kernelOf("k", CODE + CODE), /k declares binding \d twice/);
  assert.throws(() => kernelOf("k", CODE.replace("binding(2)", "binding(4)")), /none at 2/);
});

test("a structure's numbers lie as its fields do, whole ones as u32, others as f32", () => {
  const view = new Structure(CODE).pack({ biased: true, scale: 0.5, width: 7 });
  assert.equal(view.byteLength, 12);
  assert.deepEqual([view.getUint32(0, true), view.getFloat32(4, true), view.getUint32(8, true)], [7, 0.5, 1]);
});

test("a field without a value and a value without a field are refused", () => {
  const shape = new Structure(CODE);
  assert.throws(() => shape.pack({ width: 1, scale: 1 }), /Shape\.biased has no value/);
  assert.throws(() => shape.pack({ width: 1, scale: 1, biased: 0, cap: 0 }), /Shape has no field cap/);
  assert.throws(() => new Structure(CODE, "Pass"), /there is no structure Pass/);
});

test("the kernels' own code is read in full", () => {
  const norm = normKernel({ delta: true, post: false, norm: true, layer: false, final: false });
  assert.deepEqual(norm.bindings, ["uniform", "uniform", "write", "read", "read", "read", "read", "write"]);
  const block = { kind: "b4", block: 32, affine: true } as const;
  assert.deepEqual(matmulKernel(block, 4, PLAIN).bindings.slice(3), ["write", "read", "read", "read"]);
  assert.deepEqual(matmulKernel({ kind: "bf16" }, 4, PLAIN).bindings.slice(3), ["write", "read", "read"]);
  assert.deepEqual(embedKernel({ kind: "f32" }, true, PLAIN).bindings.length, 6);
  assert.deepEqual(walkKernel.bindings, ["uniform", "read", "read", "read", "read", "write", "write"]);
  const told = { rows: 1, past: 2, capacity: 3, first: 4, scored: 5, temperature: 6, segments: 7 };
  const pass = SHAPES.pass.pack(told);
  assert.deepEqual([pass.getFloat32(20, true), pass.getUint32(24, true)], [6, 7]);
});
