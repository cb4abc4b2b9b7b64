// The likeliest token of each scored row and the runner-up; of equal scores the lowest token. Where probabilities are
// wanted, also what they are divided by.
//
// logits [scored, vocab] → best [scored, 8]: token, its score's bits, the runner-up, its score's bits, the bits of
// Σ exp((score − best score) / temperature), 3 unused. Workgroup: 128 threads, one row. Grid: [scored].
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read_write> best: array<u32>;

const THREADS = 128u;
const NOBODY = 0xffffffffu;

struct Two {
  first: u32,
  second: u32,
  score: f32,
  next: f32,
}

var<workgroup> held: array<Two, THREADS>;

fn beats(token: u32, score: f32, other: u32, than: f32) -> bool {
  return other == NOBODY || score > than || (score == than && token < other);
}

fn offer(two: Two, token: u32, score: f32) -> Two {
  if (token == NOBODY) {
    return two;
  }
  if (beats(token, score, two.first, two.score)) {
    return Two(token, two.first, score, two.score);
  }
  if (beats(token, score, two.second, two.next)) {
    return Two(two.first, token, two.score, score);
  }
  return two;
}

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  var two = Two(NOBODY, NOBODY, 0.0, 0.0);
  for (var token = thread; token < shape.vocab; token += THREADS) {
    two = offer(two, token, logits[group.x * shape.vocab + token]);
  }
  held[thread] = two;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      let other = held[thread + half];
      held[thread] = offer(offer(held[thread], other.first, other.score), other.second, other.next);
    }
  }
  workgroupBarrier();
  let found = held[0];
  workgroupBarrier();
  if (pass_.temperature > 0) {
    var sum = 0.0;
    for (var token = thread; token < shape.vocab; token += THREADS) {
      sum += exp((logits[group.x * shape.vocab + token] - found.score) / pass_.temperature);
    }
    held[thread].score = sum;
    for (var half = THREADS / 2; half > 0; half /= 2) {
      workgroupBarrier();
      if (thread < half) {
        held[thread].score += held[thread + half].score;
      }
    }
  }
  if (thread == 0) {
    best[group.x * 8] = found.first;
    best[group.x * 8 + 1] = bitcast<u32>(found.score);
    best[group.x * 8 + 2] = found.second;
    best[group.x * 8 + 3] = bitcast<u32>(found.next);
    best[group.x * 8 + 4] = bitcast<u32>(held[0].score);
  }
}
