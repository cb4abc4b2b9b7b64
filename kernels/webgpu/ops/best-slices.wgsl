// The first half of ops/best.wgsl: the same of each slice of 2048 neighbouring scores.
//
// logits [scored, vocab], bits of float32 → parts [scored, slices, 8], as ops/best.wgsl has them of a row: the sum is relative to the
// slice's best. Workgroup: 128 threads, one slice of one row. Grid: [vocab / 2048, scored]. Bits: sums go by slices, which
// depend on nothing but the vocabulary.
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> logits: array<u32>;
@group(0) @binding(3) var<storage, read_write> parts: array<u32>;

const EACH = 16u; // scores of a thread
const EXPONENT = 0x7f800000u; // all of these bits are set in numbers that are not finite

var<workgroup> broken: atomic<u32>;

@compute @workgroup_size(128)
fn main(
  @builtin(local_invocation_id) me: vec3u,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let thread = me.x;
  let row = group.y * shape.vocab;
  let start = group.x * THREADS * EACH + thread;
  var scores: array<f32, EACH>;
  for (var i = 0u; i < EACH; i++) {
    let bits = logits[row + min(start + i * THREADS, shape.vocab - 1)];
    scores[i] = bitcast<f32>(bits);
    if ((bits & EXPONENT) == EXPONENT) { // seen in the bits: compilers may take such numbers for absent
      atomicStore(&broken, 1u);
    }
  }
  var two = Two(NOBODY, NOBODY, 0.0, 0.0);
  for (var i = 0u; i < EACH; i++) {
    let token = start + i * THREADS;
    two = offer(two, select(NOBODY, token, token < shape.vocab), scores[i]);
  }
  let found = best_of_all(thread, two);
  var sum = 0.0;
  if (pass_.temperature > 0) {
    for (var i = 0u; i < EACH; i++) {
      sum += select(0.0, weight(scores[i], found.score), start + i * THREADS < shape.vocab);
    }
    sum = sum_of_all(thread, sum);
  }
  if (thread == 0) {
    let at = (group.y * groups.x + group.x) * WORDS;
    parts[at] = found.first;
    parts[at + 1] = bitcast<u32>(found.score);
    parts[at + 2] = found.second;
    parts[at + 3] = bitcast<u32>(found.next);
    parts[at + 4] = bitcast<u32>(sum);
    parts[at + 5] = atomicLoad(&broken);
  }
}
