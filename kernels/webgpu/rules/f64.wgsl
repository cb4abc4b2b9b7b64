// float64 in whole numbers, because WGSL has none: what a rule computes beyond float32, as JavaScript computes it.
//
// A number is two words as memory has them: x the lower, y the upper. All are ≥ 0 and finite, so that they compare like
// whole numbers. Every operation rounds to nearest, ties to even, subnormal numbers included. "64" in a name: on whole
// numbers of 64 bits.
const ZERO = vec2u(0, 0);
const ONE = vec2u(0, 0x3ff00000);
const INFINITY = vec2u(0, 0x7ff00000);

fn add64(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn sub64(a: vec2u, b: vec2u) -> vec2u {
  return vec2u(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}

// Of numbers as well.
fn less(a: vec2u, b: vec2u) -> bool {
  return a.y < b.y || (a.y == b.y && a.x < b.x);
}

fn same(a: vec2u, b: vec2u) -> bool {
  return a.x == b.x && a.y == b.y;
}

// By 0 … 63.
fn left64(a: vec2u, by: u32) -> vec2u {
  if (by >= 32) {
    return vec2u(0, a.x << (by - 32));
  }
  return vec2u(a.x << by, (a.y << by) | ((a.x >> 1) >> (31 - by)));
}

// By 0 … 63.
fn right64(a: vec2u, by: u32) -> vec2u {
  if (by >= 32) {
    return vec2u(a.y >> (by - 32), 0);
  }
  return vec2u((a.x >> by) | ((a.y << 1) << (31 - by)), a.y >> by);
}

// Zeros before the first 1.
fn leading64(a: vec2u) -> u32 {
  return select(countLeadingZeros(a.y), 32 + countLeadingZeros(a.x), a.y == 0);
}

// All 64 bits of the product.
fn mul32(a: u32, b: u32) -> vec2u {
  let low = (a & 0xffff) * (b & 0xffff);
  let one = (a & 0xffff) * (b >> 16);
  let other = (a >> 16) * (b & 0xffff);
  let middle = (low >> 16) + (one & 0xffff) + (other & 0xffff);
  return vec2u((low & 0xffff) | (middle << 16), (a >> 16) * (b >> 16) + (one >> 16) + (other >> 16) + (middle >> 16));
}

// A positive number m · 2^(exponent − 1086): the first bit of m is 1, `exponent` is biased as in memory.
struct Parts {
  m: vec2u,
  exponent: i32,
}

// m is 0 for 0.
fn parts(a: vec2u) -> Parts {
  let field = a.y >> 20;
  let fraction = vec2u(a.x, a.y & 0xfffff);
  if (field == 0) {
    let zeros = leading64(fraction);
    return Parts(left64(fraction, min(zeros, 63u)), 12 - i32(zeros));
  }
  return Parts(left64(vec2u(fraction.x, fraction.y | 0x100000), 11), i32(field));
}

// m shifted, and whether anything but zeros fell out.
struct Shifted {
  m: vec2u,
  more: bool,
}

fn shifted(m: vec2u, by: u32) -> Shifted {
  if (by >= 64) {
    return Shifted(ZERO, !same(m, ZERO));
  }
  let kept = right64(m, by);
  return Shifted(kept, !same(left64(kept, by), m));
}

// The nearest number. The first bit of m is 1; `more`: the true value is above m by less than its last place.
fn rounded(m: vec2u, exponent: i32, more: bool) -> vec2u {
  if (exponent >= 2047) {
    return INFINITY;
  }
  var all = Shifted(m, more);
  if (exponent < 1) {
    all = shifted(m, u32(1 - exponent));
    all.more = all.more || more;
  }
  let kept = right64(all.m, 11);
  let rest = all.m.x & 0x7ff;
  let up = rest > 0x400 || (rest == 0x400 && (all.more || (kept.x & 1) == 1));
  // A first bit carries into the exponent, and so does rounding up to the next power of two.
  return add64(add64(vec2u(0, u32(max(exponent, 1) - 1) << 20), kept), vec2u(select(0u, 1u, up), 0));
}

fn plus(a: vec2u, b: vec2u) -> vec2u {
  let second = less(a, b);
  let large = parts(select(a, b, second));
  let small = parts(select(b, a, second));
  if (same(small.m, ZERO)) {
    return select(a, b, second);
  }
  let aside = shifted(right64(small.m, 1), u32(large.exponent - small.exponent));
  let sum = add64(right64(large.m, 1), aside.m);
  let carry = sum.y >> 31;
  return rounded(left64(sum, 1 - carry), large.exponent + i32(carry), aside.more);
}

// max(a − b, 0)
fn excess(a: vec2u, b: vec2u) -> vec2u {
  if (!less(b, a)) {
    return ZERO;
  }
  if (same(b, ZERO)) {
    return a;
  }
  let large = parts(a);
  let small = parts(b);
  let aside = shifted(right64(small.m, 1), u32(large.exponent - small.exponent));
  // What fell out makes the difference smaller: one less, and more than nothing above that.
  let difference = sub64(sub64(right64(large.m, 1), aside.m), vec2u(select(0u, 1u, aside.more), 0));
  let zeros = leading64(difference);
  return rounded(left64(difference, zeros), large.exponent + 1 - i32(zeros), aside.more);
}

fn times(a: vec2u, b: vec2u) -> vec2u {
  if (same(b, ONE)) {
    return a;
  }
  if (same(a, ZERO) || same(b, ZERO)) {
    return ZERO;
  }
  let one = parts(a);
  let other = parts(b);
  let low = mul32(one.m.x, other.m.x);
  let middle = add64(mul32(one.m.x, other.m.y), vec2u(low.y, 0));
  let outer = add64(mul32(one.m.y, other.m.x), vec2u(middle.x, 0));
  let high = add64(add64(mul32(one.m.y, other.m.y), vec2u(middle.y, 0)), vec2u(outer.y, 0));
  let more = (low.x | outer.x) != 0;
  // What should move in from the right is far below the last place that is kept.
  let carry = high.y >> 31;
  return rounded(left64(high, 1 - carry), one.exponent + other.exponent - 1023 + i32(carry), more);
}

// a / b, b > 0
fn over(a: vec2u, b: vec2u) -> vec2u {
  if (same(a, ZERO)) {
    return ZERO;
  }
  let one = parts(a);
  let other = parts(b);
  let divisor = right64(other.m, 11);
  var rest = right64(one.m, 11);
  var exponent = one.exponent - other.exponent + 1023;
  if (less(rest, divisor)) {
    rest = left64(rest, 1);
    exponent--;
  }
  var quotient = ZERO;
  for (var bit = 0u; bit < 64; bit++) {
    quotient = left64(quotient, 1);
    if (!less(rest, divisor)) {
      rest = sub64(rest, divisor);
      quotient.x |= 1;
    }
    rest = left64(rest, 1);
  }
  return rounded(quotient, exponent, !same(rest, ZERO));
}

// From the bits of a float32 ≥ 0.
fn widened(bits: u32) -> vec2u {
  let fraction = bits & 0x7fffff;
  if (bits < 0x800000) {
    if (bits == 0) {
      return ZERO;
    }
    let zeros = countLeadingZeros(bits);
    let rest = (bits << zeros) << 1;
    return vec2u(rest << 20, ((905 - zeros) << 20) | (rest >> 12));
  }
  return vec2u(fraction << 29, (((bits >> 23) + 896) << 20) | (fraction >> 3));
}

// Sums of probabilities are kept in whole units of 2^-87, to which src/sum.ts rounds, so that their order does not
// matter: whole numbers of 96 bits, x the lowest. From MANY on, four times one, all are the same. Values that are small
// are counted after they are multiplied by 2^closer.
const MANY = vec3u(0, 0, 0x2000000);

fn add96(a: vec3u, b: vec3u) -> vec3u {
  let low = add64(a.xy, b.xy);
  return vec3u(low, a.z + b.z + select(0u, 1u, less(low, a.xy)));
}

fn sub96(a: vec3u, b: vec3u) -> vec3u {
  return vec3u(sub64(a.xy, b.xy), a.z - b.z - select(0u, 1u, less(a.xy, b.xy)));
}

fn less96(a: vec3u, b: vec3u) -> bool {
  return a.z < b.z || (a.z == b.z && less(a.xy, b.xy));
}

// The 53 bits of a number, and by how many places they must be shifted to the left to be units.
struct Places {
  m: vec2u,
  by: i32,
}

fn places(a: vec2u) -> Places {
  let field = a.y >> 20;
  return Places(vec2u(a.x, (a.y & 0xfffff) | select(0u, 0x100000u, field > 0)), i32(max(field, 1u)) - 988);
}

// The nearest count, ties to even.
fn units(a: vec2u, closer: u32) -> vec3u {
  let at = places(a);
  let by = at.by + i32(closer);
  if (by > 36) {
    return MANY;
  }
  if (by >= 32) {
    return vec3u(0, left64(at.m, u32(by) - 32));
  }
  if (by >= 0) {
    return vec3u(left64(at.m, u32(by)), (at.m.y >> 1) >> (31 - u32(by)));
  }
  let right = u32(-by);
  if (right > 53) {
    return vec3u(0, 0, 0);
  }
  let kept = right64(at.m, right);
  let rest = sub64(at.m, left64(kept, right));
  let half = left64(vec2u(1, 0), right - 1);
  let up = less(half, rest) || (same(half, rest) && (kept.x & 1) == 1);
  return vec3u(add64(kept, vec2u(select(0u, 1u, up), 0)), 0);
}

fn add_units(a: vec3u, b: vec3u) -> vec3u {
  let sum = add96(a, b);
  return select(sum, MANY, sum.z >= MANY.z);
}

// The number nearest to so many units.
fn of_units(count: vec3u, closer: u32) -> vec2u {
  var c = count;
  if (c.x == 0 && c.y == 0 && c.z == 0) {
    return ZERO;
  }
  var exponent = 1031 - i32(closer);
  for (; c.z == 0; exponent -= 32) {
    c = vec3u(0, c.xy);
  }
  let zeros = countLeadingZeros(c.z);
  let m = left64(c.yz, zeros);
  let moved = (c.x >> 1) >> (31 - zeros);
  return rounded(vec2u(m.x | moved, m.y), exponent - i32(zeros), (c.x << zeros) != 0);
}

// The most units that, rounded to a number, are not above a; a is less than two.
fn units_up_to(a: vec2u) -> vec3u {
  let at = places(a);
  if (at.by <= 0) { // so few that every count is a number
    return vec3u(select(right64(at.m, min(u32(-at.by), 63u)), ZERO, at.by < -63), 0);
  }
  // Up to half the way to the next number, and that far only if a is the even one of the two.
  let half = u32(at.by) - 1;
  let most = add96(units(a, 0), select(vec3u(1u << (half & 31), 0, 0), vec3u(0, 1u << (half & 31), 0), half >= 32));
  return sub96(most, vec3u(at.m.x & 1, 0, 0));
}

// What is multiplied by so that a sum becomes one: 1 where it is one but for rounding, or nothing; INFINITY where it is
// too little for that.
fn inverse(sum: vec2u) -> vec2u {
  let near = !less(sum, sub64(ONE, vec2u(NEAR_BELOW, 0))) && !less(add64(ONE, vec2u(NEAR_ABOVE, 0)), sum);
  if (same(sum, ZERO) || near) {
    return ONE;
  }
  return over(ONE, sum);
}
