// The experts that each row goes through: those with the largest scores, of equals the first, and how much each counts.
//
// scores [rows, experts] → chosen [rows, USED], the largest first, and weights [rows, USED], the shares of exp(score) among
// all experts (ALL) or among the chosen.
// Workgroup: 64 threads, one row. Grid: [rows]. Sums are in one fixed order.
struct Shape {
  experts: u32,
  stride: u32, // of scores
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;

const THREADS = 64u;
const NOBODY = 0xffffffffu;

var<workgroup> who: array<u32, THREADS>;
var<workgroup> held: array<f32, THREADS>;

// Whether an expert with this score comes before another.
fn before(score: f32, expert: u32, other_score: f32, other: u32) -> bool {
  return score > other_score || (score == other_score && expert < other);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let row = group.x;
  var last = NOBODY;
  var lowest = 0.0; // of those that are chosen
  var highest = 0.0;
  for (var s = 0u; s < USED; s++) {
    var mine = NOBODY;
    var score = 0.0;
    for (var expert = thread; expert < shape.experts; expert += THREADS) {
      let own = scores[row * shape.stride + expert];
      if ((s == 0 || before(lowest, last, own, expert)) && (mine == NOBODY || before(own, expert, score, mine))) {
        mine = expert;
        score = own;
      }
    }
    who[thread] = mine;
    held[thread] = score;
    for (var half = THREADS / 2; half > 0; half /= 2) {
      workgroupBarrier();
      let other = thread + half;
      if (thread < half && who[other] != NOBODY) {
        if (who[thread] == NOBODY || before(held[other], who[other], held[thread], who[thread])) {
          who[thread] = who[other];
          held[thread] = held[other];
        }
      }
    }
    workgroupBarrier();
    last = who[0];
    lowest = held[0];
    if (s == 0) {
      highest = lowest;
    }
    if (thread == 0) {
      chosen[row * USED + s] = min(last, shape.experts - 1); // scores that are no numbers choose nobody
      weights[row * USED + s] = lowest;
    }
    workgroupBarrier();
  }

  var sum = 0.0;
  if (ALL) {
    for (var expert = thread; expert < shape.experts; expert += THREADS) {
      sum += exp(scores[row * shape.stride + expert] - highest);
    }
  } else if (thread == 0) {
    for (var s = 0u; s < USED; s++) {
      sum += exp(weights[row * USED + s] - highest);
    }
  }
  held[thread] = sum;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      held[thread] += held[thread + half];
    }
  }
  if (thread == 0) {
    for (var s = 0u; s < USED; s++) {
      weights[row * USED + s] = exp(weights[row * USED + s] - highest) / held[0];
    }
  }
}
