// The likeliest token of each scored row and the runner-up; of equal scores the lowest token. Where probabilities are
// wanted, also what they are divided by. What ops/best-slices.wgsl found is joined.
//
// parts [scored, slices, 8] → best [scored, 8]: token, its score's bits, the runner-up (0xffffffff: there is none), its
// score's bits, the bits of Σ exp((score − best score) / temperature), whether a score is infinite or no number, 2 unused.
// Workgroup: 128 threads, one row. Grid: [scored].
struct Shape {
  slices: u32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> parts: array<u32>;
@group(0) @binding(3) var<storage, read_write> best: array<u32>;

var<workgroup> broken: atomic<u32>;

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let row = group.x * shape.slices;
  var two = Two(NOBODY, NOBODY, 0.0, 0.0);
  for (var slice = thread; slice < shape.slices; slice += THREADS) {
    let at = (row + slice) * WORDS;
    two = offer(two, parts[at], bitcast<f32>(parts[at + 1]));
    two = offer(two, parts[at + 2], bitcast<f32>(parts[at + 3]));
    atomicOr(&broken, parts[at + 5]);
  }
  let found = best_of_all(thread, two);
  var sum = 0.0;
  if (pass_.temperature > 0) {
    for (var slice = thread; slice < shape.slices; slice += THREADS) {
      let at = (row + slice) * WORDS;
      sum += bitcast<f32>(parts[at + 4]) * weight(bitcast<f32>(parts[at + 1]), found.score);
    }
    sum = sum_of_all(thread, sum);
  }
  if (thread == 0) {
    let at = group.x * WORDS;
    best[at] = found.first;
    best[at + 1] = bitcast<u32>(found.score);
    best[at + 2] = found.second;
    best[at + 3] = bitcast<u32>(found.next);
    best[at + 4] = bitcast<u32>(sum);
    best[at + 5] = atomicLoad(&broken);
  }
}
