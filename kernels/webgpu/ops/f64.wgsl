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

// Sums of probabilities are kept in whole units of 2^-52, as `mass` in src/distribution.ts has them, so that their order
// does not matter. From MANY on, four times one, all are the same.
const WHOLE = vec2u(0, 0x100000); // one, in units
const MANY = vec2u(0, 0x400000);

// (a + 1) − 1
fn units(a: vec2u) -> vec2u {
  let field = a.y >> 20;
  let m = vec2u(a.x, (a.y & 0xfffff) | 0x100000);
  if (field > 1023) {
    return MANY;
  }
  if (field == 1023) { // a + 1 is 2 or more, where every second unit is left
    let odd = m.x & 1;
    let up = add64(m, vec2u(odd, 0));
    return select(up, sub64(m, vec2u(odd, 0)), (up.x & 2) != 0 && odd == 1);
  }
  let by = 1023 - field;
  if (by > 53) {
    return ZERO;
  }
  let kept = right64(m, by);
  let rest = sub64(m, left64(kept, by));
  let half = left64(vec2u(1, 0), by - 1);
  let up = less(half, rest) || (same(half, rest) && (kept.x & 1) == 1);
  return add64(kept, vec2u(select(0u, 1u, up), 0));
}

fn add_units(a: vec2u, b: vec2u) -> vec2u {
  let sum = add64(a, b);
  return select(sum, MANY, less(MANY, sum));
}

// The largest number of units that is not above a; a is less than 4.
fn whole_units(a: vec2u) -> vec2u {
  let field = a.y >> 20;
  let m = vec2u(a.x, (a.y & 0xfffff) | 0x100000);
  if (field >= 1023) {
    return left64(m, field - 1023);
  }
  return select(right64(m, min(1023 - field, 63u)), ZERO, 1023 - field > 63);
}

// The number that so many units are, up to two.
fn of_units(count: vec2u) -> vec2u {
  if (same(count, ZERO)) {
    return ZERO;
  }
  let zeros = leading64(count);
  return rounded(left64(count, zeros), 1034 - i32(zeros), false);
}

// What is multiplied by so that so many units become one. `rounding`: a sum of one but for rounding is left alone.
fn inverse(count: vec2u, rounding: bool) -> vec2u {
  let off = select(sub64(count, WHOLE), sub64(WHOLE, count), less(count, WHOLE));
  if (same(count, ZERO) || (rounding && off.y == 0 && off.x <= NEAR_ONE)) {
    return ONE;
  }
  return over(ONE, of_units(count));
}
