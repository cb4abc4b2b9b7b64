// What the rule `typical` (2024, arXiv 2401.10774) asks for, of all rows at once: how likely the target finds the tokens
// drafted at a row, the row's entropy in float32, and the token that would be drawn from it.
//
// probabilities [rows, vocab], bits of float32; factors [rows] as rules/factors.wgsl leaves them; numbers [1], the
// uniform number; nodes [nodes, 2]: row above, token → verdict [rows + nodes, 2]: of a row the token drawn (NOBODY where
// that is not settled) and the entropy's bits, of a node its probability in float64.
// Workgroup: 256 threads, one row. Grid: [rows].
struct Shape {
  vocab: u32,
  rows: u32,
  nodes: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> probabilities: array<u32>;
@group(0) @binding(2) var<storage, read> factors: array<vec2u>;
@group(0) @binding(3) var<storage, read> nodes: array<vec2u>;
@group(0) @binding(4) var<storage, read> numbers: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> verdict: array<vec2u>;

var<workgroup> row: u32;
var<workgroup> entropies: array<f32, THREADS>;

fn weight(token: u32) -> vec2u {
  return times(widened(probabilities[row * shape.vocab + token]), factors[row]);
}

// Without the last bits; of numbers that float32 has room for.
fn narrowed(a: vec2u) -> f32 {
  return bitcast<f32>((((a.y >> 20) - 896) << 23) | ((a.y & 0xfffff) << 3) | (a.x >> 29));
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  if (thread == 0) {
    row = group.x;
    whole_vocabulary();
  }
  workgroupBarrier();
  let fit = !same(factors[row], ZERO);
  var scale = 0.0;
  if (fit) {
    scale = narrowed(factors[row]);
  }
  var entropy = 0.0;
  for (var token = thread; token < shape.vocab; token += THREADS) {
    let bits = probabilities[row * shape.vocab + token];
    if (fit && bits >= 0x800000) { // what is subnormal counts for nothing
      let p = bitcast<f32>(bits) * scale;
      entropy -= p * log(p);
    }
  }
  entropies[thread] = entropy;
  for (var half = THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      entropies[thread] += entropies[thread + half];
    }
  }
  for (var node = thread; node < shape.nodes; node += THREADS) {
    if (nodes[node].x == row) {
      verdict[shape.rows + node] = weight(nodes[node].y);
    }
  }
  var left = shape.vocab;
  loop {
    let whole = left == shape.vocab;
    left = (left + SLICES - 1) / SLICES; // as long as a slice is in this turn
    sum_slices(thread);
    if (thread == 0) {
      if (whole) {
        begin_draw(numbers[0]);
      }
      _ = narrow_draw();
    }
    workgroupBarrier();
    if (left == 1) {
      break;
    }
  }
  if (thread == 0) {
    verdict[row] = vec2u(select(NOBODY, start, fit), bitcast<u32>(entropies[0]));
  }
}
