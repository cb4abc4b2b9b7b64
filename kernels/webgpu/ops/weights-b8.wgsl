// Weights of the exact container in 8 bits: (code − 128) · scale + offset, a file's own numbers.
// [outputs, units · 8]
@group(0) @binding(5) var<storage, read> weights: array<vec2u>;

fn bytes4(word: u32) -> vec4f {
  return vec4f((vec4u(word) >> vec4u(0, 8, 16, 24)) & vec4u(0xff)) - 128.0;
}

fn weights8(row: u32, unit: u32) -> Eight {
  let words = weights[row * shape.units + unit];
  let both = scale_and_offset(row, unit);
  let scale = vec4f(both.x);
  if (AFFINE) {
    let offset = vec4f(both.y);
    return Eight(fma(bytes4(words.x), scale, offset), fma(bytes4(words.y), scale, offset));
  }
  return Eight(bytes4(words.x) * scale, bytes4(words.y) * scale);
}
