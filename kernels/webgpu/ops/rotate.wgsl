// From packed queries, keys and values to what attention reads: norms of queries and keys, rotation by position
// (RoFormer, 2021, arXiv 2104.09864), queries into a buffer of their own, keys and values into the cache.
//
// packed [rows, (heads + 2 · kvHeads) · HEAD] → query [rows, heads · HEAD]; cache [2, capacity, kvHeads, 4 · QUADS],
// the row's column being past + row. angles [rows, 2, half]: cosines, then sines, of the row's position.
// NORMED: 0 none, 1 each head, 2 over all heads of a row. ROPE: rotated at all. Workgroup: 64 threads, one head of one
// row. Grid: [heads + 2 · kvHeads, rows].
struct Shape {
  heads: u32,
  kvHeads: u32,
  stride: u32, // of packed
  strideQuery: u32,
  half: u32, // pairs that are rotated
  interleaved: u32,
  anglesOfKeys: u32, // where the angles of their rotation start
  anglesOfQueries: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> packed: array<f32>;
@group(0) @binding(3) var<storage, read_write> query: array<f32>;
@group(0) @binding(4) var<storage, read_write> cache: array<f32>;
@group(0) @binding(5) var<storage, read> angles: array<f32>;
@group(0) @binding(6) var<storage, read> gainQuery: array<f32>;
@group(0) @binding(7) var<storage, read> gainKey: array<f32>;

var<workgroup> head: array<f32, HEAD>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let slot = group.x;
  let row = group.y;
  let isQuery = slot < shape.heads;
  let isValue = slot >= shape.heads + shape.kvHeads;
  let own = row * shape.stride + slot * HEAD;

  var mean = 0.0;
  var factor = 1.0;
  if (NORMED != 0 && !isValue) {
    var start = own;
    var length = HEAD;
    if (NORMED == 2) {
      start = row * shape.stride + select(shape.heads * HEAD, 0u, isQuery);
      length = select(shape.kvHeads, shape.heads, isQuery) * HEAD;
    }
    if (LAYER) {
      var sum = 0.0;
      for (var i = thread; i < length; i += THREADS) {
        sum += packed[start + i];
      }
      mean = total(thread, sum) / f32(length);
    }
    var square = 0.0;
    for (var i = thread; i < length; i += THREADS) {
      let d = packed[start + i] - mean;
      square = fma(d, d, square);
    }
    factor = 1.0 / sqrt(total(thread, square) / f32(length) + shape.epsilon);
  }
  for (var i = thread; i < HEAD; i += THREADS) {
    var value = packed[own + i];
    if (NORMED != 0 && !isValue) {
      let ofPart = select(slot - shape.heads, slot, isQuery) * HEAD + i;
      let at = select(i, ofPart, NORMED == 2);
      value = (value - mean) * factor * select(gainKey[at], gainQuery[at], isQuery);
    }
    head[i] = value;
  }
  workgroupBarrier();

  for (var i = thread; i < HEAD; i += THREADS) {
    var value = head[i];
    if (ROPE && !isValue && i < 2 * shape.half) {
      let pair = select(i % shape.half, i / 2, shape.interleaved != 0);
      let second = select(i >= shape.half, i % 2 == 1, shape.interleaved != 0);
      let partner = select(select(i + shape.half, i + 1, shape.interleaved != 0),
        select(i - shape.half, i - 1, shape.interleaved != 0), second);
      let at = select(shape.anglesOfKeys, shape.anglesOfQueries, isQuery) + row * 2 * shape.half + pair;
      let turned = head[partner] * angles[at + shape.half];
      value = fma(value, angles[at], select(-turned, turned, second));
    }
    if (isQuery) {
      query[row * shape.strideQuery + slot * HEAD + i] = value;
    } else {
      let width = shape.kvHeads * 4 * QUADS;
      let column = pass_.past + row + select(0u, pass_.capacity, isValue);
      let part = (slot - shape.heads) % shape.kvHeads;
      cache[column * width + part * 4 * QUADS + i] = value;
    }
  }
}
