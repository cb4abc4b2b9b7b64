// Weights in float16 where the adapter has that type: unit u of a row is its elements 8u … 8u + 7. [outputs, units · 8]
@group(0) @binding(5) var<storage, read> weights: array<vec4<f16>>;

fn weights8(row: u32, unit: u32) -> Eight {
  let at = (row * shape.units + unit) * 2;
  return Eight(vec4f(weights[at]), vec4f(weights[at + 1]));
}
