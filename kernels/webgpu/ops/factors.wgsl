// What a row of probabilities is multiplied by until it is the target's distribution in float64: the inverse of its sum,
// as where a row is read back, then the inverse of what is the sum after that, as `normalise` of src/distribution.ts has
// it.
//
// probabilities [rows, vocab], bits of float32 → factors [rows, 2], float64; both 0 for a row that cannot be drawn from.
// NEAR_ONE: units by which a sum may differ from one and still count as one.
// Workgroup: 256 threads, one row. Grid: [rows].
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> probabilities: array<u32>;
@group(0) @binding(2) var<storage, read_write> factors: array<vec2u>;

var<workgroup> row: u32;
var<workgroup> factor: vec2u;

fn weight(token: u32) -> vec2u {
  let bits = probabilities[row * shape.vocab + token];
  if (bits >= 0x40000000) { // two or more, negative or no number
    return INFINITY;
  }
  return times(widened(bits), factor);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  if (thread == 0) {
    row = group.x;
    factor = ONE;
    whole_vocabulary();
  }
  workgroupBarrier();
  var fit = true;
  for (var turn = 0u; turn < 2; turn++) {
    sum_slices(thread);
    if (thread == 0) {
      let sum = all_slices();
      // Up to two, sums are exact in float64, too.
      fit = fit && !same(sum, ZERO) && !less(add64(WHOLE, WHOLE), sum);
      factor = inverse(sum, turn == 1);
      factors[2 * row + turn] = select(ZERO, factor, fit);
      if (!fit) {
        factors[2 * row] = ZERO;
      }
    }
    workgroupBarrier();
  }
}
