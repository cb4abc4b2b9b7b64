// Hidden states as they were at this place of the pass: states[row] = x[row], without what fills up the rows of x.
//
// x [rows, stride], states [rows, width]. Workgroup: 64 threads, an element each. Grid: [width / 64, rows].
struct Shape {
  width: u32,
  stride: u32, // of x
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> states: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  if (me.x < shape.width) {
    states[me.y * shape.width + me.x] = x[me.y * shape.stride + me.x];
  }
}
