// The end of attention that was split over keys: the segments of one head of one row, joined in order of position.
//
// parts [rows, heads, segments, HEAD + 2] → mixed [rows, heads · HEAD]. tree: the depth of each row comes first.
// Workgroup: 64 threads, one head of one row. Grid: [heads, rows].
@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> parts: array<f32>;
@group(0) @binding(3) var<storage, read> tree: array<u32>;
@group(0) @binding(4) var<storage, read_write> mixed: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let slot = group.x;
  let row = group.y;
  let position = pass_.past + tree[row];
  var merged: Merged;
  merged.most = LOWEST;
  for (var segment = oldest_of(position, shape.window) / SEGMENT; segment <= position / SEGMENT; segment++) {
    let at = ((row * shape.heads + slot) * pass_.segments + segment) * (HEAD + 2);
    var mix: array<f32, PARTS>;
    for (var p = 0u; p < PARTS; p++) {
      let i = p * SPAN + me.x;
      if (i < HEAD) {
        mix[p] = parts[at + i];
      }
    }
    merged = merge(merged, parts[at + HEAD], parts[at + HEAD + 1], mix);
  }
  for (var p = 0u; p < PARTS; p++) {
    let i = p * SPAN + me.x;
    if (i < HEAD) {
      mixed[row * shape.strideOut + slot * HEAD + i] = merged.mix[p] / divisor(merged, slot);
    }
  }
}
