// What a score counts beside the highest of its row in the soft-max: exp((score − highest) / temperature). −∞ counts
// nothing, also where all are −∞. exp is never asked about an infinite number, which compilers may take for absent:
// beyond −200 nothing is left in float32.
fn weight(score: f32, highest: f32) -> f32 {
  return exp(max((score - max(highest, -1e38)) / pass_.temperature, -200.0));
}
