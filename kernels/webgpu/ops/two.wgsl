// The best two of many scores, and sums, by 128 threads.
const THREADS = 128u;
const WORDS = 8u; // of a result

struct Two {
  first: u32,
  second: u32,
  score: f32,
  next: f32,
}

var<workgroup> held: array<Two, THREADS>;
var<workgroup> sums: array<f32, THREADS>;

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

fn offer_both(two: Two, other: Two) -> Two {
  return offer(offer(two, other.first, other.score), other.second, other.next);
}

// The best two of what all threads have.
fn best_of_all(thread: u32, two: Two) -> Two {
  held[thread] = two;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      held[thread] = offer_both(held[thread], held[thread + half]);
    }
  }
  workgroupBarrier();
  return held[0];
}

// The sum of what all threads have, in one fixed order; thread 0 is told.
fn sum_of_all(thread: u32, value: f32) -> f32 {
  sums[thread] = value;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      sums[thread] += sums[thread + half];
    }
  }
  return sums[thread];
}
