// How attention over one segment of keys is joined with what the segments before it came to. The same steps in the same
// order, whether one workgroup has taken all segments or each had one of its own.
const SPAN = 64u; // threads, and keys at a time
const SEGMENT = 512u; // keys
const PARTS = (HEAD + SPAN - 1) / SPAN; // elements of a head per thread
const LOWEST = -1e38;

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
