// Weights of the exact container in 8 bits: (code − 128) · scale + offset, a file's own numbers. [outputs, units · 8]
// BLOCK elements (16 or 32) share scale and offset; AFFINE tells whether there are offsets.
@group(0) @binding(5) var<storage, read> weights: array<vec2u>;
@group(0) @binding(6) var<storage, read> scales: array<f32>;
@group(0) @binding(7) var<storage, read> offsets: array<f32>;

fn bytes4(word: u32) -> vec4f {
  return vec4f((vec4u(word) >> vec4u(0, 8, 16, 24)) & vec4u(0xff)) - 128.0;
}

fn weights8(row: u32, unit: u32) -> Eight {
  let words = weights[row * shape.units + unit];
  let block = (row * shape.units + unit) / (BLOCK / 8);
  let scale = vec4f(scales[block]);
  if (AFFINE) {
    let offset = vec4f(offsets[block]);
    return Eight(fma(bytes4(words.x), scale, offset), fma(bytes4(words.y), scale, offset));
  }
  return Eight(bytes4(words.x) * scale, bytes4(words.y) * scale);
}
