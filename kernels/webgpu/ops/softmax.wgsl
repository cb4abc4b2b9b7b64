// Probabilities at the pass's temperature: exp((score − best score) / temperature) / Σ, with both from ops/best.wgsl.
//
// logits [scored, vocab], best [scored, 8] → probabilities [scored, vocab]. Workgroup: 256 threads, one number each.
// Grid: [vocab / 256, scored]. Bits: each number is computed alone.
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> logits: array<f32>;
@group(0) @binding(3) var<storage, read> best: array<u32>;
@group(0) @binding(4) var<storage, read_write> probabilities: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) me: vec3u) {
  let token = me.x;
  let row = me.y;
  if (token >= shape.vocab) {
    return;
  }
  let highest = bitcast<f32>(best[row * 8 + 1]);
  let sum = bitcast<f32>(best[row * 8 + 4]);
  probabilities[row * shape.vocab + token] = weight(logits[row * shape.vocab + token], highest) / sum;
}
