// What a row of probabilities is multiplied by until it is the target's distribution in float64: the inverse of its sum,
// as `widened` of src/distribution.ts has it.
//
// probabilities [rows, vocab], bits of float32 → factors [rows], float64; 0 for a row that cannot be drawn from, or
// that is as far from a distribution as to sum to less than 2^-20 or to two.
// Workgroup: 256 threads, one row. Grid: [rows].
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> probabilities: array<u32>;
@group(0) @binding(2) var<storage, read_write> factors: array<vec2u>;

var<workgroup> row: u32;

fn weight(token: u32) -> vec2u {
  let bits = probabilities[row * shape.vocab + token];
  if (bits >= 0x40000000) { // two or more, negative or no number
    return INFINITY;
  }
  return widened(bits);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  if (thread == 0) {
    row = group.x;
    whole_vocabulary();
  }
  workgroupBarrier();
  sum_slices(thread);
  if (thread == 0) {
    let sum = of_units(all_slices(), 0);
    var factor = ZERO;
    if (!less(sum, SMALL) && less(sum, TWO)) {
      factor = over(ONE, sum);
    }
    factors[row] = factor;
  }
}
