// Weights of the exact container in 4 bits: (code − 8) · scale + offset, a file's own numbers.
// [outputs, units · 8] Element 0 is in the lowest nibble of a word.
@group(0) @binding(5) var<storage, read> weights: array<u32>;

fn nibbles4(word: u32) -> vec4f {
  return vec4f((vec4u(word) >> vec4u(0, 4, 8, 12)) & vec4u(0xf)) - 8.0;
}

fn weights8(row: u32, unit: u32) -> Eight {
  let word = weights[row * shape.units + unit];
  let both = scale_and_offset(row, unit);
  let scale = vec4f(both.x);
  if (AFFINE) {
    let offset = vec4f(both.y);
    return Eight(fma(nibbles4(word), scale, offset), fma(nibbles4(word >> 16), scale, offset));
  }
  return Eight(nibbles4(word) * scale, nibbles4(word >> 16) * scale);
}
