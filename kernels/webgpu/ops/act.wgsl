// Activations of feed-forwards: SiLU and Gaussian Error Linear Units (2016, arXiv 1606.08415).
// ACTIVATION: 0 SiLU, 1 GELU, 2 GELU by tanh.
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
