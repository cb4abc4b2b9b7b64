// What a score counts in the soft-max of its row: exp((score − highest) / temperature). Never of an infinite number,
// which compilers may take for absent: beyond −200 there is nothing left in float32, so that −∞ counts nothing either.
fn weight(score: f32, highest: f32) -> f32 {
  return exp(max((score - highest) / pass_.temperature, -200.0));
}
