// Weights in float16, two to a word: unit u of a row is its elements 8u … 8u + 7. [outputs, units · 8]
@group(0) @binding(5) var<storage, read> weights: array<vec4u>;

fn weights8(row: u32, unit: u32) -> Eight {
  let words = weights[row * shape.units + unit];
  return Eight(vec4f(halves(words.x), halves(words.y)), vec4f(halves(words.z), halves(words.w)));
}
