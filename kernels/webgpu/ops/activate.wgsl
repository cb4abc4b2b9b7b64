// The middle of a feed-forward: out = act(gate) · up, or act(up) where nothing gates. GLU Variants Improve Transformer
// (2020, arXiv 2002.05202). Where gate and up are one product, ops/matmul.wgsl does this itself.
//
// packed [rows, hidden] or [rows, 2 · hidden], gates first → out [rows, hidden].
// GATED. CLAMPED (gpt-oss, 2025, arXiv 2508.10925): gate ≤ limit, |up| ≤ limit, out = gate · σ(alpha · gate) · (up + 1). The activation is act.wgsl's. Workgroup: 64 threads, an element each. Grid: [hidden / 64, rows].
struct Shape {
  hidden: u32,
  stride: u32,
  strideOut: u32,
  limit: f32,
  alpha: f32,
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
  let first = packed[row * shape.stride + i];
  var value = 0.0;
  if (CLAMPED) {
    let gate = min(first, shape.limit);
    let up = clamp(packed[row * shape.stride + shape.hidden + i], -shape.limit, shape.limit);
    value = gate / (1.0 + exp(-clamp(shape.alpha * gate, -80.0, 80.0))) * (up + 1.0);
  } else {
    value = act(first);
    if (GATED) {
      value *= packed[row * shape.stride + shape.hidden + i];
    }
  }
  out[row * shape.strideOut + i] = value;
}
