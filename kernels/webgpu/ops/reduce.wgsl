// SUMS numbers of each of a workgroup's 64 threads, added up, or the highest of each, in one fixed order: halves of the
// threads are joined until one is left.
alias Numbers = array<f32, SUMS>;

const THREADS = 64u;
var<workgroup> joined: array<f32, THREADS * SUMS>; // by thread, then by number

fn reduce(thread: u32, mine: Numbers, highest: bool) -> Numbers {
  var numbers = mine;
  for (var s = 0u; s < SUMS; s++) {
    joined[thread * SUMS + s] = numbers[s];
  }
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    for (var i = thread; i < half * SUMS; i += THREADS) {
      let other = joined[i + half * SUMS];
      joined[i] = select(joined[i] + other, max(joined[i], other), highest);
    }
  }
  workgroupBarrier();
  for (var s = 0u; s < SUMS; s++) {
    numbers[s] = joined[s];
  }
  workgroupBarrier();
  return numbers;
}

fn total(thread: u32, value: f32) -> f32 {
  var mine: Numbers;
  mine[0] = value;
  return reduce(thread, mine, false)[0];
}
