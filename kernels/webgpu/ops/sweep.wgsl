// Sums over the vocabulary by 256 threads, and draws by such sums. The operation declares `weight(token)`, a float64, and
// shape.vocab. Sums are of whole units, so that nothing depends on their order.
const THREADS = 256u;
const SLICES = 16u;
const LANES = 16u; // threads of a slice
const NOBODY = 0xffffffffu;

var<workgroup> sums: array<vec2u, THREADS>;
// The part of the vocabulary that is summed up: from `start` on, 16 slices of `each` tokens.
var<workgroup> start: u32;
var<workgroup> each: u32;

// Slice s is left in sums[s · LANES].
fn sum_slices(thread: u32) {
  let first = start + thread / LANES * each;
  let end = min(first + each, shape.vocab);
  var sum = ZERO;
  for (var token = first + thread % LANES; token < end; token += LANES) {
    sum = add_units(sum, units(weight(token)));
  }
  sums[thread] = sum;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread % LANES < half) {
      sums[thread] = add_units(sums[thread], sums[thread + half]);
    }
  }
  workgroupBarrier();
}

// What follows is for thread 0.

fn whole_vocabulary() {
  start = 0;
  each = (shape.vocab + SLICES - 1) / SLICES;
}

// All slices together.
fn all_slices() -> vec2u {
  var sum = ZERO;
  for (var slice = 0u; slice < SLICES; slice++) {
    sum = add_units(sum, sums[slice * LANES]);
  }
  return sum;
}

// What is left to pass on the way to the token that is drawn, in units.
var<private> ahead: vec2u;

// Begins a draw, the whole vocabulary being summed up: the first token whose running sum exceeds u · sum, as UniformChance
// has it. False for sums near the ends of 0.5 … 1.5 and beyond, which it adds up without rounding to units.
fn begin_draw(u: vec2u) -> bool {
  let sum = all_slices();
  // At the upper end, where u · sum is the whole sum, the last token that has any weight stands.
  let most = sub64(sum, vec2u(1, 0));
  let wanted = whole_units(times(of_units(sum), u));
  ahead = select(most, wanted, less(wanted, most));
  return sum.y >= 0x80100 && sum.y < 0x17ff00;
}

// Looks into the slice where the token is. True where that is the token at `start`.
fn narrow_draw() -> bool {
  var slice = 0u;
  for (; slice < SLICES - 1; slice++) {
    let sum = sums[slice * LANES];
    if (less(ahead, sum)) {
      break;
    }
    ahead = sub64(ahead, sum);
  }
  start += slice * each;
  let found = each == 1;
  each = (each + SLICES - 1) / SLICES;
  return found;
}
