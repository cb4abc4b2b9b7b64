// The middle of a feed-forward: out = act(gate) · up, or act(up) where nothing gates. GLU Variants Improve Transformer
// (2020, arXiv 2002.05202). Where gate and up are one product, ops/matmul.wgsl does this itself.
//
// packed [rows, hidden] or [rows, 2 · hidden], gates first → out [rows, hidden].
// GATED. The activation is act.wgsl's. Workgroup: 64 threads, an element each. Grid: [hidden / 64, rows].
struct Shape {
  hidden: u32,
  stride: u32,
  strideOut: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> packed: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let row = at.y;
  if (i >= shape.hidden) {
    return;
  }
  var value = act(packed[row * shape.stride + i]);
  if (GATED) {
    value *= packed[row * shape.stride + shape.hidden + i];
  }
  out[row * shape.strideOut + i] = value;
}
