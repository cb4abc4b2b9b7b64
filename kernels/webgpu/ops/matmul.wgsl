// Matrix product: y[row, offset + n] = cap(scale · (Σ x[row, k] · W[n, k] + bias[n])), a weight read once for ROWS rows.
//
// Workgroup: 16 lanes × 4 groups. A group computes COLUMNS neighbouring outputs of ROWS rows; its lanes share the sum
// over k, lane l taking units l, l + 16, … of 8 elements each. Grid: [outputs / (4 · COLUMNS), rows / ROWS].
//
// PAIRED: outputs 2n and 2n + 1 are gate and up of a feed-forward, and y[row, offset + n] = act(gate) · up.
//
// Bits: a sum is one chain of fma per lane, then the lanes in ascending order. Neither ROWS nor COLUMNS enters into it.
struct Shape {
  units: u32, // of 8 elements in a row of W and of x
  outputs: u32, // rows of W
  stride: u32, // of x, in vec4
  strideOut: u32,
  offset: u32, // of the first output in a row of y
  biased: u32,
  scale: f32,
  cap: f32, // 0: none
  scored: u32, // rows of x are those that get scores
}

struct Eight {
  a: vec4f,
  b: vec4f,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

const LANES = 16u;
const GROUPS = 4u;
const SUMS = ROWS * COLUMNS;
const STRETCH = 4u; // sums that are exchanged at a time

var<workgroup> partial: array<f32, GROUPS * LANES * STRETCH>;

fn chain(sum: f32, w: Eight, a: vec4f, b: vec4f) -> f32 {
  var s = fma(w.a.x, a.x, sum);
  s = fma(w.a.y, a.y, s);
  s = fma(w.a.z, a.z, s);
  s = fma(w.a.w, a.w, s);
  s = fma(w.b.x, b.x, s);
  s = fma(w.b.y, b.y, s);
  s = fma(w.b.z, b.z, s);
  return fma(w.b.w, b.w, s);
}

// One sum over all lanes of a group, finished.
fn total(group: u32, sum: u32, column: u32) -> f32 {
  var value = 0.0;
  for (var l = 0u; l < LANES; l++) {
    value += partial[(group * LANES + l) * STRETCH + sum];
  }
  if (shape.biased != 0) {
    value += bias[column];
  }
  value *= shape.scale;
  if (shape.cap > 0) {
    value = shape.cap * tanh_safe(value / shape.cap);
  }
  return value;
}

@compute @workgroup_size(16, 4)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = me.x;
  let column0 = (group.x * GROUPS + me.y) * COLUMNS;
  let row0 = group.y * ROWS;
  let last = shape.outputs - 1;
  var sums: array<f32, SUMS>;
  for (var unit = lane; unit < shape.units; unit += LANES) {
    var w: array<Eight, COLUMNS>;
    for (var c = 0u; c < COLUMNS; c++) {
      w[c] = weights8(min(column0 + c, last), unit);
    }
    for (var r = 0u; r < ROWS; r++) {
      let at = (row0 + r) * shape.stride + unit * 2;
      let a = x[at];
      let b = x[at + 1];
      for (var c = 0u; c < COLUMNS; c++) {
        sums[r * COLUMNS + c] = chain(sums[r * COLUMNS + c], w[c], a, b);
      }
    }
  }
  let rows = select(pass_.rows, pass_.scored, shape.scored != 0);
  for (var base = 0u; base < SUMS; base += STRETCH) {
    let count = min(STRETCH, SUMS - base);
    for (var i = 0u; i < count; i++) {
      partial[(me.y * LANES + lane) * STRETCH + i] = sums[base + i];
    }
    workgroupBarrier();
    let each = select(1u, 2u, PAIRED); // sums that make one number of y
    let sum = base + lane * each;
    let r = row0 + sum / COLUMNS;
    let column = column0 + sum % COLUMNS;
    if (lane * each < count && r < rows && column < shape.outputs) {
      var value = total(me.y, lane * each, column);
      if (PAIRED) {
        value = act(value) * total(me.y, lane * each + 1, column + 1);
      }
      y[r * shape.strideOut + shape.offset + column / each] = value;
    }
    workgroupBarrier();
  }
}
