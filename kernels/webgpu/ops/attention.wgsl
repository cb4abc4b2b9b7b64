// Attention of one head of one row over the positions before it, the row's own included: grouped queries (2023, arXiv
// 2305.13245), sliding window and soft cap (Gemma 2, 2024, arXiv 2408.00118), soft-max made on the way (FlashAttention,
// 2022, arXiv 2205.14135).
//
// query [rows, heads · HEAD], cache [2, capacity, kvHeads · HEAD] → mixed [rows, heads · HEAD], or, where SPLIT, what
// each segment of keys came to, for ops/merge.wgsl: parts [rows, heads, segments, HEAD + 2], highest and sum at the end.
// tree: depth of each row, then for each row the rows on its path from the root, [MOST_ROWS, MOST_ROWS].
// Workgroup: 64 threads, one head of one row. Grid: [heads, rows], where SPLIT [heads, rows, segments].
//
// Bits: sums run over absolute positions in spans of 64, and those in segments of 512, that start at multiples of these.
// Where in the cache a position stands, what stands beside it and who takes on a segment does not enter: a tree node gets
// the bits of the chain that leads to it.
struct Shape {
  heads: u32,
  kvHeads: u32,
  stride: u32, // of query and mixed
  strideOut: u32,
  window: u32, // 0: none
  scale: f32,
  cap: f32, // 0: none
}

@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> query: array<f32>;
@group(0) @binding(3) var<storage, read> cache: array<f32>;
@group(0) @binding(4) var<storage, read> tree: array<u32>;
@group(0) @binding(5) var<storage, read_write> mixed: array<f32>; // parts where SPLIT


var<workgroup> q: array<f32, HEAD>;
var<workgroup> weight: array<f32, SPAN>;
var<workgroup> start: array<u32, SPAN>; // where each position's key starts in the cache
var<workgroup> reduced: array<f32, SPAN>;

fn highest(thread: u32, value: f32) -> f32 {
  reduced[thread] = value;
  for (var half = SPAN / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      reduced[thread] = max(reduced[thread], reduced[thread + half]);
    }
  }
  workgroupBarrier();
  let all = reduced[0];
  workgroupBarrier();
  return all;
}

fn total(thread: u32, value: f32) -> f32 {
  reduced[thread] = value;
  for (var half = SPAN / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) {
      reduced[thread] += reduced[thread + half];
    }
  }
  workgroupBarrier();
  let all = reduced[0];
  workgroupBarrier();
  return all;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let slot = group.x;
  let row = group.y;
  let width = shape.kvHeads * HEAD;
  let shared_ = slot / (shape.heads / shape.kvHeads) * HEAD;
  let position = pass_.past + tree[row];
  var oldest = 0u;
  if (shape.window > 0 && position + 1 > shape.window) {
    oldest = position + 1 - shape.window;
  }
  for (var i = thread; i < HEAD; i += SPAN) {
    q[i] = query[row * shape.stride + slot * HEAD + i];
  }
  workgroupBarrier();

  var merged: Merged;
  merged.most = LOWEST;
  var firstSegment = oldest / SEGMENT;
  var lastSegment = position / SEGMENT;
  if (SPLIT) {
    if (group.z < firstSegment || group.z > lastSegment) {
      return;
    }
    firstSegment = group.z;
    lastSegment = group.z;
  }
  for (var segment = firstSegment; segment <= lastSegment; segment++) {
    var most = LOWEST;
    var sum = 0.0;
    var mix: array<f32, PARTS>;
    let after = min(position + 1, (segment + 1) * SEGMENT);
    for (var begin = max(oldest, segment * SEGMENT) / SPAN * SPAN; begin < after; begin += SPAN) {
      let at = begin + thread;
      let seen = at >= oldest && at < after;
      var column = at;
      if (seen && at >= pass_.past) {
        column = pass_.past + tree[MOST_ROWS + row * MOST_ROWS + at - pass_.past];
      }
      var score = LOWEST;
      if (seen) {
        let key = column * width + shared_;
        start[thread] = key;
        var dot = 0.0;
        for (var i = 0u; i < HEAD; i++) {
          dot = fma(q[i], cache[key + i], dot);
        }
        score = dot * shape.scale;
        if (shape.cap > 0) {
          score = shape.cap * tanh_safe(score / shape.cap);
        }
      }
      let higher = max(most, highest(thread, score));
      var mine = 0.0;
      if (seen) {
        mine = exp(score - higher);
      }
      weight[thread] = mine;
      let fade = exp(most - higher);
      sum = fma(sum, fade, total(thread, mine)); // its barriers also show everybody's weight
      most = higher;
      let first = max(oldest, begin) - begin;
      let end = min(after, begin + SPAN) - begin;
      for (var p = 0u; p < PARTS; p++) {
        let i = p * SPAN + thread;
        if (i < HEAD) {
          var value = mix[p] * fade;
          for (var n = first; n < end; n++) {
            value = fma(weight[n], cache[pass_.capacity * width + start[n] + i], value);
          }
          mix[p] = value;
        }
      }
      workgroupBarrier();
    }
    if (SPLIT) {
      let out = ((row * shape.heads + slot) * pass_.segments + segment) * (HEAD + 2);
      for (var p = 0u; p < PARTS; p++) {
        let i = p * SPAN + thread;
        if (i < HEAD) {
          mixed[out + i] = mix[p];
        }
      }
      if (thread == 0) {
        mixed[out + HEAD] = most;
        mixed[out + HEAD + 1] = sum;
      }
    } else {
      merged = merge(merged, most, sum, mix);
    }
  }
  if (!SPLIT) {
    for (var p = 0u; p < PARTS; p++) {
      let i = p * SPAN + thread;
      if (i < HEAD) {
        mixed[row * shape.strideOut + slot * HEAD + i] = merged.mix[p] / merged.sum;
      }
    }
  }
}
