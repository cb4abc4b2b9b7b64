// The 64 likeliest tokens of each scored row, most likely first; equal ones by ascending id.
//
// logits [scored, vocab] → candidates [scored, 64] of (token, its score's bits); the token is 0xffffffff from where the
// vocabulary has no more. Workgroup: 256 threads, one row. Grid: [scored].
//
// A tournament: items are dealt out to the threads, and each leads with its best. The best 64 items are in the hands of the
// 64 threads with the best leaders, since 64 leaders beat whatever the others hold. What those 64 hold, a quarter of all,
// is dealt out again, until nobody holds two. Order is strict, so the outcome is one, and equal scores take no longer.
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> candidates: array<vec2u>;

const THREADS = 256u;
const CANDIDATES = 64u;
const ROUNDS = 14u; // 4 ^ 14 items are more than a buffer holds
const AHEAD = 8u; // scores that a thread asks for at a time: it waits for memory, not for arithmetic

var<workgroup> winners: array<u32, ROUNDS * CANDIDATES>; // threads, the one with the best leader first
var<workgroup> leaders: array<u32, THREADS>;
var<workgroup> scores: array<f32, THREADS>;

// Item i of a round is the one that winner i % 64 of the round before held at place i / 64.
fn token_of(item: u32, round: u32) -> u32 {
  var at = item;
  for (var r = round; r > 0; r--) {
    let winner = winners[(r - 1) * CANDIDATES + at % CANDIDATES];
    if (winner == NOBODY) {
      return NOBODY;
    }
    at = winner + at / CANDIDATES * THREADS;
  }
  return select(NOBODY, at, at < shape.vocab);
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) me: vec3u, @builtin(workgroup_id) group: vec3u) {
  let thread = me.x;
  let row = group.x * shape.vocab;
  var items = shape.vocab;
  var round = 0u;
  loop {
    let share = (items + THREADS - 1) / THREADS;
    var leader = NOBODY;
    var score = 0.0;
    for (var place = 0u; place < share; place += AHEAD) {
      var tokens: array<u32, AHEAD>;
      var fetched: array<f32, AHEAD>;
      for (var i = 0u; i < AHEAD; i++) {
        tokens[i] = token_of(thread + (place + i) * THREADS, round);
        fetched[i] = logits[row + min(tokens[i], shape.vocab - 1)];
      }
      for (var i = 0u; i < AHEAD; i++) {
        if (tokens[i] != NOBODY && beats(tokens[i], fetched[i], leader, score)) {
          leader = tokens[i];
          score = fetched[i];
        }
      }
    }
    leaders[thread] = leader;
    scores[thread] = score;
    if (thread < CANDIDATES) {
      winners[round * CANDIDATES + thread] = NOBODY;
    }
    workgroupBarrier();
    var rank = 0u;
    for (var other = 0u; other < THREADS; other++) {
      if (leaders[other] != NOBODY && beats(leaders[other], scores[other], leader, score)) {
        rank++;
      }
    }
    if (leader != NOBODY && rank < CANDIDATES) {
      winners[round * CANDIDATES + rank] = thread;
    }
    workgroupBarrier();
    if (share <= 1) {
      break;
    }
    items = share * CANDIDATES;
    round++;
  }
  if (thread < CANDIDATES) {
    let winner = winners[round * CANDIDATES + thread];
    var candidate = vec2u(NOBODY, 0);
    if (winner != NOBODY) {
      candidate = vec2u(leaders[winner], bitcast<u32>(scores[winner]));
    }
    candidates[group.x * CANDIDATES + thread] = candidate;
  }
}
