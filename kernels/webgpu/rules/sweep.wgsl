// Sums over the vocabulary by 256 threads, and draws by such sums. The operation declares `weight(token)`, a float64, and
// shape.vocab. Sums are of whole units, so that nothing depends on their order.
const SMALL = vec2u(0, 1003u << 20); // 2^-20: sums from here on are told
const VERY_SMALL = vec2u(0, 957u << 20); // 2^-66
const TWO = vec2u(0, 0x40000000);
const THREADS = 256u;
const SLICES = 16u;
const LANES = 16u; // threads of a slice
const NOBODY = 0xffffffffu;

var<workgroup> sums: array<vec3u, THREADS>;
// The part of the vocabulary that is summed up: from `start` on, 16 slices of `each` tokens.
var<workgroup> start: u32;
var<workgroup> each: u32;
// By what power of two the weights are multiplied before they are counted.
var<workgroup> closer: u32;
// Whether any weight is more than 0.
var<workgroup> some: atomic<u32>;

// Slice s is left in sums[s · LANES].
fn sum_slices(thread: u32) {
  let first = start + thread / LANES * each;
  let end = min(first + each, shape.vocab);
  var sum = vec3u(0, 0, 0);
  var bits = 0u;
  for (var token = first + thread % LANES; token < end; token += LANES) {
    let value = weight(token);
    bits |= value.x | value.y;
    sum = add_units(sum, units(value, closer));
  }
  if (bits != 0) {
    atomicStore(&some, 1u);
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
  closer = 0;
  atomicStore(&some, 0u);
  each = (shape.vocab + SLICES - 1) / SLICES;
}

// All slices together.
fn all_slices() -> vec3u {
  var sum = vec3u(0, 0, 0);
  for (var slice = 0u; slice < SLICES; slice++) {
    sum = add_units(sum, sums[slice * LANES]);
  }
  return sum;
}

// Whether the sum of all can be told. Where it is too small for that, it must be made anew, closer: by the powers of two
// of `nextScale` in src/sum.ts.
fn told() -> bool {
  let sum = of_units(all_slices(), 0);
  if (!less(sum, SMALL) || closer == 1023 || atomicLoad(&some) == 0) {
    return true;
  }
  closer = min(closer + select(19u, 64u, less(sum, VERY_SMALL)), 1023u);
  return false;
}

// The sum of all, once it is told.
fn measured() -> vec2u {
  return of_units(all_slices(), closer);
}

// What is left to pass on the way to the token that is drawn, in units.
var<private> ahead: vec3u;

// Begins a draw, the whole vocabulary being summed up to about one: the first token whose running sum exceeds u · sum, as
// UniformChance has it.
fn begin_draw(u: vec2u) {
  let sum = all_slices();
  // At the upper end, where u · sum is the whole sum, the last token that has any weight stands.
  let most = sub96(sum, vec3u(1, 0, 0));
  let wanted = units_up_to(times(of_units(sum, 0), u));
  ahead = select(most, wanted, less96(wanted, most));
}

// Looks into the slice where the token is. True where that is the token at `start`.
fn narrow_draw() -> bool {
  var slice = 0u;
  for (; slice < SLICES - 1; slice++) {
    let sum = sums[slice * LANES];
    if (less96(ahead, sum)) {
      break;
    }
    ahead = sub96(ahead, sum);
  }
  start += slice * each;
  let found = each == 1;
  each = (each + SLICES - 1) / SLICES;
  return found;
}
