// Scale and offset of the blocks of the exact container: BLOCK elements (16 or 32) share them; AFFINE tells whether there
// are offsets.
//
// HALF: they are float16 numbers in the file, and stay so: AFFINE has scale and offset of a block in one word, otherwise
// two scales share one, rows filled up to whole words. SHIFT scales are added to an offset, because the container's codes
// have another zero than the file's. Not HALF: float32, AFFINE scale and offset in turn, shifted before.
//
// Bits: the product of code or SHIFT and scale is exact in float32 for all types of GGML, so that it does not matter how
// an adapter computes fma.
@group(0) @binding(6) var<storage, read> scales: array<u32>;

// Of the block that a unit is in; the offset is 0 where there is none.
fn scale_and_offset(row: u32, unit: u32) -> vec2f {
  let perRow = shape.units / (BLOCK / 8);
  let block = unit / (BLOCK / 8);
  if (AFFINE) {
    let at = row * perRow + block;
    if (HALF) {
      let both = halves(scales[at]);
      return vec2f(both.x, fma(both.x, f32(SHIFT), both.y));
    }
    return vec2f(bitcast<f32>(scales[2 * at]), bitcast<f32>(scales[2 * at + 1]));
  }
  if (HALF) {
    let two = halves(scales[row * ((perRow + 1) / 2) + block / 2]);
    return vec2f(select(two.x, two.y, block % 2 == 1), 0.0);
  }
  return vec2f(bitcast<f32>(scales[row * perRow + block]), 0.0);
}
