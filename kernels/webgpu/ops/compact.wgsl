// Commits a path: the columns past + path[0], past + path[1], … of the cache move to past, past + 1, …
// Paths ascend, so a column is read before it is overwritten; a thread moves one element of every step, in order.
//
// cache [2, capacity, width]. Workgroup: 64 threads. Grid: [width / 64, 2].
struct Move {
  past: u32,
  capacity: u32,
  steps: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> move_: Move;
@group(0) @binding(1) var<storage, read> path: array<u32>;
@group(0) @binding(2) var<storage, read_write> cache: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= move_.width) {
    return;
  }
  let start = (at.y * move_.capacity + move_.past) * move_.width + at.x;
  for (var step = 0u; step < move_.steps; step++) {
    if (path[step] != step) {
      cache[start + step * move_.width] = cache[start + path[step] * move_.width];
    }
  }
}
