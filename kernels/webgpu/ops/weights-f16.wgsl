// Weights in float16, two to a word: unit u of a row is its elements 8u … 8u + 7. [outputs, units · 8]
@group(0) @binding(5) var<storage, read> weights: array<vec4u>;

fn weights8(row: u32, unit: u32) -> Eight {
  let words = weights[row * shape.units + unit];
  return Eight(
    vec4f(unpack2x16float(words.x), unpack2x16float(words.y)),
    vec4f(unpack2x16float(words.z), unpack2x16float(words.w)),
  );
}
