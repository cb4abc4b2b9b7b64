// What the experts of a row made of it, added up in the order in which they were chosen, weighted.
//
// results [rows · USED, width], weights [rows, USED] → out [rows, width].
// Workgroup: 64 threads, an element each. Grid: [width / 64, rows].
struct Shape {
  width: u32,
  stride: u32, // of results
  strideOut: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> results: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let row = at.y;
  if (i >= shape.width) {
    return;
  }
  var sum = 0.0;
  for (var s = 0u; s < USED; s++) {
    let slot = row * USED + s;
    sum = fma(weights[slot], results[slot * shape.stride + i], sum);
  }
  out[row * shape.strideOut + i] = sum;
}
