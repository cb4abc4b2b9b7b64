// Weights in bfloat16, the upper halves of float32, two to a word. [outputs, units · 8]
@group(0) @binding(5) var<storage, read> weights: array<vec4u>;

fn pair(word: u32) -> vec2f {
  return vec2f(bitcast<f32>(word << 16), bitcast<f32>(word & 0xffff0000u));
}

fn weights8(row: u32, unit: u32) -> Eight {
  let words = weights[row * shape.units + unit];
  return Eight(vec4f(pair(words.x), pair(words.y)), vec4f(pair(words.z), pair(words.w)));
}
