// What attention and the merge of its parts share: its shape, the window, and how what one segment of keys comes to is
// joined with the segments before it. The same steps in the same order, whether one workgroup has taken all segments or
// each had one of its own.
struct Shape {
  heads: u32,
  kvHeads: u32,
  stride: u32, // of query
  strideOut: u32, // of mixed
  window: u32, // 0: none
  scale: f32,
  cap: f32, // 0: none
}

const SPAN = 64u; // threads, and keys at a time
const SEGMENT = 512u; // keys
const PARTS = (HEAD + SPAN - 1) / SPAN; // elements of a head per thread
const LOWEST = -1e38;

// The first position that a row at `position` sees.
fn oldest_of(position: u32, window: u32) -> u32 {
  return select(0u, position + 1 - window, window > 0 && position + 1 > window);
}

// What all segments come to: `divisor` of it is what the sum of a head's values is divided by (SINKS in kernels.ts).
struct Merged {
  most: f32,
  sum: f32,
  mix: array<f32, PARTS>,
}

fn merge(so_far: Merged, most: f32, sum: f32, mix: array<f32, PARTS>) -> Merged {
  var result = so_far;
  var added = mix;
  result.most = max(so_far.most, most);
  let fade = exp(so_far.most - result.most);
  let part = exp(most - result.most);
  result.sum = fma(so_far.sum, fade, sum * part);
  for (var p = 0u; p < PARTS; p++) {
    result.mix[p] = fma(result.mix[p], fade, added[p] * part);
  }
  return result;
}
