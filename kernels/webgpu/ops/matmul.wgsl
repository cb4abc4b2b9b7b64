// Matrix product: y[row, offset + n] = cap(scale · (Σ x[row, k] · W[n, k] + bias[n])), a weight read once for all rows of
// a tile.
//
// Workgroup: 16 lanes × 4 groups. A group computes COLUMNS neighbouring outputs of ROWS rows; its lanes share the sum
// over k, lane l taking units l, l + 16, … of 8 elements each, AHEAD of them at a time, so that many reads are on their way
// at once. COLUMN_GROUPS of the groups stand beside each other, the rest below them, for a tile of ROWS · ROW_GROUPS rows.
// Grid: [outputs / (COLUMNS · COLUMN_GROUPS), rows / (ROWS · ROW_GROUPS)].
//
// SLOTS: rows of y for each row of the pass, one for each expert that it goes through; matrix_of(row of y) is where in W the
// rows of its expert start, and SHARED rows of y read the same row of x. Without experts SLOTS and SHARED are 1.
//
// PAIRED: outputs 2n and 2n + 1 are gate and up of a feed-forward, and y[row, offset + n] = act(gate) · up.
//
// Bits: a sum is one chain of fma per lane; then lanes whose numbers differ in bit 0 are added, then those of bit 1, 2 and
// 3. Each addition has the same two operands by shuffle and by workgroup memory. None of the constants above enters.
//
// Arithmetic is float32 also where the adapter has float16: the weights are a file's own numbers, and rounding products or
// sums of activations to 11 bits would change what a model says.
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
const THREADS = 64u;
const COLUMN_GROUPS = 4 / ROW_GROUPS;
const PAIRS = COLUMNS / 2; // of neighbouring outputs: a thread keeps them together
const ITEMS = ROWS * PAIRS;

// One row's sums of two outputs, a unit further.
fn chain(sum: vec2f, v: Eight, w: Eight, a: vec4f, b: vec4f) -> vec2f {
  var s = fma(vec2f(v.a.x, w.a.x), vec2f(a.x), sum);
  s = fma(vec2f(v.a.y, w.a.y), vec2f(a.y), s);
  s = fma(vec2f(v.a.z, w.a.z), vec2f(a.z), s);
  s = fma(vec2f(v.a.w, w.a.w), vec2f(a.w), s);
  s = fma(vec2f(v.b.x, w.b.x), vec2f(b.x), s);
  s = fma(vec2f(v.b.y, w.b.y), vec2f(b.y), s);
  s = fma(vec2f(v.b.z, w.b.z), vec2f(b.z), s);
  return fma(vec2f(v.b.w, w.b.w), vec2f(b.w), s);
}

fn add_unit(sums: ptr<function, array<vec2f, ITEMS>>, row0: u32, matrix: u32, column0: u32, unit: u32) {
  var w: array<Eight, COLUMNS>;
  for (var c = 0u; c < COLUMNS; c++) {
    w[c] = weights8(matrix + min(column0 + c, shape.outputs - 1), unit);
  }
  for (var r = 0u; r < ROWS; r++) {
    let at = (row0 + r) / SHARED * shape.stride + unit * 2;
    let a = x[at];
    let b = x[at + 1];
    for (var p = 0u; p < PAIRS; p++) {
      let i = r * PAIRS + p;
      (*sums)[i] = chain((*sums)[i], w[2 * p], w[2 * p + 1], a, b);
    }
  }
}

// What is done to a sum over k.
fn finished(sum: f32, matrix: u32, column: u32) -> f32 {
  var value = sum;
  if (shape.biased != 0) {
    value += bias[matrix + column];
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
  let column0 = (group.x * COLUMN_GROUPS + me.y % COLUMN_GROUPS) * COLUMNS;
  let row0 = (group.y * ROW_GROUPS + me.y / COLUMN_GROUPS) * ROWS;
  let matrix = matrix_of(row0);
  var sums: array<vec2f, ITEMS>;
  var unit = lane;
  for (; unit + LANES * (AHEAD - 1) < shape.units; unit += LANES * AHEAD) {
    for (var i = 0u; i < AHEAD; i++) {
      add_unit(&sums, row0, matrix, column0, unit + i * LANES);
    }
  }
  for (; unit < shape.units; unit += LANES) {
    add_unit(&sums, row0, matrix, column0, unit);
  }

  fold(&sums, me.y * LANES + lane);
  // A lane has the totals of ITEMS / 16 items now, or, where there are fewer items than lanes, of one.
  if (lane >= ITEMS) {
    return;
  }
  let first = (lane & 1) * (ITEMS / 2) + ((lane >> 1) & 1) * (ITEMS / 4) + ((lane >> 2) & 1) * (ITEMS / 8) +
    (lane >> 3) * (ITEMS / 16);
  let rows = select(pass_.rows, pass_.scored, shape.scored != 0) * SLOTS;
  for (var i = 0u; i < max(ITEMS / LANES, 1u); i++) {
    let row = row0 + (first + i) / PAIRS;
    let column = column0 + (first + i) % PAIRS * 2;
    if (row < rows && column < shape.outputs) {
      let at = row * shape.strideOut + shape.offset;
      let one = finished(sums[i].x, matrix, column);
      if (PAIRED) {
        y[at + column / 2] = act(one) * finished(sums[i].y, matrix, column + 1);
      } else {
        y[at + column] = one;
        if (column + 1 < shape.outputs) {
          y[at + column + 1] = finished(sums[i].y, matrix, column + 1);
        }
      }
    }
  }
}
