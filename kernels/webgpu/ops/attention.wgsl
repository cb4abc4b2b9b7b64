// Attention over the positions before a row, the row's own included: grouped queries (2023, arXiv 2305.13245), sliding
// window and soft cap (Gemma 2, 2024, arXiv 2408.00118), soft-max made on the way (FlashAttention, 2022, arXiv
// 2205.14135).
//
// query [rows, heads · HEAD], cache [2, capacity, kvHeads, 4 · QUADS] → mixed [rows, heads · HEAD], or, where SPLIT, what
// each segment of keys came to, for ops/merge.wgsl: parts [rows, heads, segments, HEAD + 2], highest and sum at the end.
// tree: depth of each row, then for each row the rows on its path from the root, [rows] and [rows, rows].
//
// A query is one head of one row. Those that share a head of keys and values are counted row by row, and a workgroup
// takes QUERIES neighbours: it reads a key or value once where it stands in the same column for all of them, which is so
// before the pass and along the path that their rows have in common.
// Workgroup: 64 threads, QUERIES queries. Grid: [kvHeads, rows · heads / kvHeads / QUERIES], where SPLIT also segments.
//
// Bits: sums run over absolute positions in spans of 64, and those in segments of 512, that start at multiples of these.
// Where in the cache a position stands, what stands beside it, which queries share a workgroup and who takes on a segment
// does not enter: a tree node gets the bits of the chain that leads to it.
@group(0) @binding(0) var<uniform> pass_: Pass;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> query: array<f32>;
@group(0) @binding(3) var<storage, read> cache: array<vec4f>;
@group(0) @binding(4) var<storage, read> tree: array<u32>;
@group(0) @binding(5) var<storage, read_write> mixed: array<f32>; // parts where SPLIT

const AHEAD = 8u; // values that are fetched before the first is used

var<workgroup> q: array<vec4f, QUERIES * QUADS>;
var<workgroup> weight: array<f32, SPAN * QUERIES>;
var<workgroup> start: array<u32, SPAN>; // where the keys that are read together start in the cache
var<workgroup> agreed: atomic<u32>; // positions below stand in the same column for all queries

// Where the key of `row` at a position starts, in elements.
fn key_at(row: u32, at: u32, kvHead: u32) -> u32 {
  var column = at;
  if (at >= pass_.past) {
    column = pass_.past + tree[(row + 1) * pass_.rows + at - pass_.past];
  }
  return (column * shape.kvHeads + kvHead) * 4 * QUADS;
}

fn chain(sum: f32, a: vec4f, b: vec4f) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// One element of the value whose key starts at `key`.
fn value_of(key: u32, i: u32) -> f32 {
  let at = pass_.capacity * shape.kvHeads * 4 * QUADS + key + i;
  return cache[at / 4][at % 4];
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let kvHead = group.x;
  let sharing = shape.heads / shape.kvHeads;
  let count = pass_.rows * sharing;
  let first = group.y * QUERIES;

  // The last workgroup repeats the last query where there are no more, and leaves it out at the end.
  var row: array<u32, QUERIES>;
  var position: array<u32, QUERIES>;
  var oldest: array<u32, QUERIES>;
  for (var j = 0u; j < QUERIES; j++) {
    let n = min(first + j, count - 1);
    row[j] = n / sharing;
    position[j] = pass_.past + tree[row[j]];
    oldest[j] = oldest_of(position[j], shape.window);
  }
  var nearest = position[0];
  var last = position[0];
  for (var j = 1u; j < QUERIES; j++) {
    nearest = min(nearest, position[j]);
    last = max(last, position[j]);
  }
  // A window ends with its row's position, so these belong to those.
  let earliest = oldest_of(nearest, shape.window);
  let everyone = oldest_of(last, shape.window); // from here on, none of them is too old for any query

  if (thread == 0) {
    atomicStore(&agreed, nearest + 1);
  }
  workgroupBarrier();
  for (var at = pass_.past + thread; at <= nearest; at += SPAN) {
    for (var j = 1u; j < QUERIES; j++) {
      if (key_at(row[j], at, 0) != key_at(row[0], at, 0)) {
        atomicMin(&agreed, at);
      }
    }
  }
  for (var i = thread; i < QUERIES * QUADS; i += SPAN) {
    let n = min(first + i / QUADS, count - 1);
    let element = i % QUADS * 4;
    let source = n / sharing * shape.stride + (kvHead * sharing + n % sharing) * HEAD + element;
    var four = vec4f();
    for (var c = 0u; c < 4; c++) {
      if (element + c < HEAD) {
        four[c] = query[source + c];
      }
    }
    q[i] = four;
  }
  workgroupBarrier();
  let together = atomicLoad(&agreed);

  var merged: array<Merged, QUERIES>;
  for (var j = 0u; j < QUERIES; j++) {
    merged[j].most = LOWEST;
  }
  var firstSegment = earliest / SEGMENT;
  var lastSegment = last / SEGMENT;
  if (SPLIT) {
    if (group.z < firstSegment || group.z > lastSegment) {
      return;
    }
    firstSegment = group.z;
    lastSegment = group.z;
  }
  // Inside loops, variables get their zeros in so many words: compilers are seen to leave in them what was there before.
  for (var segment = firstSegment; segment <= lastSegment; segment++) {
    var most: Numbers;
    var sum = Numbers();
    var mix = array<array<f32, PARTS>, QUERIES>();
    for (var j = 0u; j < QUERIES; j++) {
      most[j] = LOWEST;
    }
    let after = min(last + 1, (segment + 1) * SEGMENT);
    for (var begin = max(earliest, segment * SEGMENT) / SPAN * SPAN; begin < after; begin += SPAN) {
      // A key per thread.
      let at = begin + thread;
      var seen: array<bool, QUERIES>;
      var score = Numbers();
      for (var j = 0u; j < QUERIES; j++) {
        seen[j] = at >= oldest[j] && at <= position[j];
      }
      if (at >= earliest && at < together) {
        let key = key_at(row[0], at, kvHead);
        start[thread] = key;
        for (var i = 0u; i < QUADS; i++) {
          let four = cache[key / 4 + i];
          for (var j = 0u; j < QUERIES; j++) {
            score[j] = chain(score[j], q[j * QUADS + i], four);
          }
        }
      } else {
        for (var j = 0u; j < QUERIES; j++) {
          if (seen[j]) {
            let key = key_at(row[j], at, kvHead);
            for (var i = 0u; i < QUADS; i++) {
              score[j] = chain(score[j], q[j * QUADS + i], cache[key / 4 + i]);
            }
          }
        }
      }
      for (var j = 0u; j < QUERIES; j++) {
        if (seen[j]) {
          var scaled = score[j] * shape.scale;
          if (shape.cap > 0) {
            scaled = shape.cap * tanh_safe(scaled / shape.cap);
          }
          score[j] = scaled;
        } else {
          score[j] = LOWEST;
        }
      }
      let highest = reduce(thread, score, true);
      var mine = Numbers();
      for (var j = 0u; j < QUERIES; j++) {
        if (seen[j]) {
          mine[j] = exp(score[j] - max(most[j], highest[j]));
        }
        weight[thread * QUERIES + j] = mine[j];
      }
      let added = reduce(thread, mine, false); // its barriers also show everybody's weight
      for (var j = 0u; j < QUERIES; j++) {
        // A span that only its neighbours see leaves a query as it is: exp(0) is not 1 everywhere.
        if (begin + SPAN > oldest[j] && begin <= position[j]) {
          let higher = max(most[j], highest[j]);
          let fade = exp(most[j] - higher);
          sum[j] = fma(sum[j], fade, added[j]);
          most[j] = higher;
          for (var p = 0u; p < PARTS; p++) {
            mix[j][p] *= fade;
          }
        }
      }

      // Elements of the values per thread, in order of position: those that only some queries see, those that all see in
      // the same column, and those at the end of each query's own path.
      let end = begin + SPAN;
      for (var p = 0u; p < PARTS; p++) {
        let i = p * SPAN + thread;
        if (i < HEAD) {
          var n = max(begin, min(everyone, together));
          for (var j = 0u; j < QUERIES; j++) {
            for (var own = max(begin, oldest[j]); own < min(end, n); own++) {
              mix[j][p] = fma(weight[(own - begin) * QUERIES + j], value_of(start[own - begin], i), mix[j][p]);
            }
          }
          for (; n + AHEAD <= min(end, together); n += AHEAD) {
            var value: array<f32, AHEAD>;
            for (var a = 0u; a < AHEAD; a++) {
              value[a] = value_of(start[n - begin + a], i);
            }
            for (var a = 0u; a < AHEAD; a++) {
              for (var j = 0u; j < QUERIES; j++) {
                mix[j][p] = fma(weight[(n - begin + a) * QUERIES + j], value[a], mix[j][p]);
              }
            }
          }
          for (var j = 0u; j < QUERIES; j++) {
            for (var own = max(n, oldest[j]); own < min(end, position[j] + 1); own++) {
              let key = key_at(row[j], own, kvHead);
              mix[j][p] = fma(weight[(own - begin) * QUERIES + j], value_of(key, i), mix[j][p]);
            }
          }
        }
      }
      workgroupBarrier();
    }
    for (var j = 0u; j < QUERIES; j++) {
      if (segment < oldest[j] / SEGMENT || segment > position[j] / SEGMENT) {
        continue;
      }
      if (!SPLIT) {
        merged[j] = merge(merged[j], most[j], sum[j], mix[j]);
      } else if (first + j < count) {
        let slot = kvHead * sharing + (first + j) % sharing;
        let out = ((row[j] * shape.heads + slot) * pass_.segments + segment) * (HEAD + 2);
        for (var p = 0u; p < PARTS; p++) {
          let i = p * SPAN + thread;
          if (i < HEAD) {
            mixed[out + i] = mix[j][p];
          }
        }
        if (thread == 0) {
          mixed[out + HEAD] = most[j];
          mixed[out + HEAD + 1] = sum[j];
        }
      }
    }
  }
  if (!SPLIT) {
    for (var j = 0u; j < QUERIES; j++) {
      let slot = kvHead * sharing + (first + j) % sharing;
      for (var p = 0u; p < PARTS; p++) {
        let i = p * SPAN + thread;
        if (i < HEAD && first + j < count) {
          mixed[row[j] * shape.strideOut + slot * HEAD + i] = merged[j].mix[p] / divisor(merged[j], slot);
        }
      }
    }
  }
}
