// Embedded tokens: stream[row] = scale · table[token of the row]. POSITIONS: the table holds learned positions, and
// stream[row] += scale · table[position of the row].
//
// tokens [rows]; tree: the depth of each row comes first. The piece of the table that is bound, [outputs, units · 8],
// starts at its row `first`; rows of other pieces are left alone. stream [rows, stride].
// Workgroup: 64 threads, 8 elements each. Grid: [units / 64, rows].
//
// Bits: an element is one product, and one sum for its position, of the file's own numbers.
struct Shape {
  units: u32, // of 8 elements in a row of the table
  stride: u32, // of stream, in vec4
  first: u32,
  outputs: u32,
  scale: f32,
}

struct Eight {
  a: vec4f,
  b: vec4f,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> stream: array<vec4f>;
@group(0) @binding(4) var<storage, read> tree: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  let unit = me.x;
  let row = me.y;
  let index = select(tokens[row], pass_.past + tree[row], POSITIONS);
  if (unit >= shape.units || index < shape.first || index - shape.first >= shape.outputs) {
    return;
  }
  let found = weights8(index - shape.first, unit);
  let at = row * shape.stride + 2 * unit;
  if (POSITIONS) {
    stream[at] += found.a * shape.scale;
    stream[at + 1] += found.b * shape.scale;
  } else {
    stream[at] = found.a * shape.scale;
    stream[at + 1] = found.b * shape.scale;
  }
}
