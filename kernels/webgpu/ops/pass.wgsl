// What all kernels of one pass share. Rows are tokens; a row's position is past + its depth.
struct Pass {
  rows: u32,
  past: u32, // committed tokens, in columns 0 … past − 1 of the cache
  capacity: u32, // columns of the cache
  first: u32, // the first row that gets scores
  scored: u32, // how many rows get scores
  temperature: f32, // of the probabilities; 0: none are wanted
  segments: u32, // of keys, the longest row's
}

// Most drivers' tanh overflows for large arguments; this one does not.
fn tanh_safe(x: f32) -> f32 {
  let e = exp(-2.0 * abs(x));
  return sign(x) * (1.0 - e) / (1.0 + e);
}
