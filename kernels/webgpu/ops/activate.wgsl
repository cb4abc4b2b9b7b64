// The middle of a feed-forward: out = act(gate) · up, or act(up) where nothing gates. GLU Variants Improve Transformer
// (2020, arXiv 2002.05202); SiLU and Gaussian Error Linear Units (2016, arXiv 1606.08415).
//
// packed [rows, hidden] or [rows, 2 · hidden], gates first → out [rows, hidden].
// ACTIVATION: 0 SiLU, 1 GELU, 2 GELU by tanh. GATED. Workgroup: 64 threads, an element each. Grid: [hidden / 64, rows].
struct Shape {
  hidden: u32,
  stride: u32,
  strideOut: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> packed: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

// Complementary error function of x ≥ 0 by Chebyshev fitting, relative error below 1.2e-7 (Numerical Recipes, erfcc).
fn erfc_positive(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * x);
  var p = 0.17087277;
  p = fma(p, t, -0.82215223);
  p = fma(p, t, 1.48851587);
  p = fma(p, t, -1.13520398);
  p = fma(p, t, 0.27886807);
  p = fma(p, t, -0.18628806);
  p = fma(p, t, 0.09678418);
  p = fma(p, t, 0.37409196);
  p = fma(p, t, 1.00002368);
  p = fma(p, t, -1.26551223);
  return t * exp(fma(-x, x, p));
}

fn act(x: f32) -> f32 {
  if (ACTIVATION == 0) {
    return x / (1.0 + exp(-clamp(x, -80.0, 80.0)));
  }
  if (ACTIVATION == 1) {
    let tail = 0.5 * erfc_positive(abs(x) * 0.7071067811865476);
    return x * select(tail, 1.0 - tail, x > 0);
  }
  return 0.5 * x * (1.0 + tanh_safe(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = at.x;
  let row = at.y;
  if (i >= shape.hidden) {
    return;
  }
  var value = act(packed[row * shape.stride + i]);
  if (GATED) {
    value *= packed[row * shape.stride + shape.hidden + i];
  }
  out[row * shape.strideOut + i] = value;
}
