// What rules that accept and refuse have in common: the target's distribution at a place of the draft, what it still
// owes after refusals, and draws from that. One workgroup goes down the draft: thread 0 flips, all threads sum up.
//
// probabilities [rows, vocab], bits of float32; factors [rows] as rules/factors.wgsl leaves them → verdict [4]: whether
// it is settled, the place where the walk ends, the next token, how many uniform numbers were used.
//
// tree: places, then what they point to.
//   place [5]: row, first trial, trials, first link, links. A link [2]: a token drafted here, the place below it.
//   trial [7]: the token that is judged; where the tokens that it may have been drawn from are listed, ascending, 0 for
//   the whole vocabulary; where their probabilities are in `numbers`; how many they are; the first link and how many
//   links' tokens were drawn before and count as 0; where in `numbers` its probability is and what all are multiplied by.
// numbers: float64, uniform numbers first. work [vocab]: float64, what is owed after several refusals.
//
// The operation declares `advance()`, which thread 0 runs before each task of all threads.
// Workgroup: 256 threads. Grid: [1].
struct Shape {
  vocab: u32,
}

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> probabilities: array<u32>;
@group(0) @binding(2) var<storage, read> factors: array<vec2u>;
@group(0) @binding(3) var<storage, read> tree: array<u32>;
@group(0) @binding(4) var<storage, read> numbers: array<vec2u>;
@group(0) @binding(5) var<storage, read_write> work: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> verdict: array<u32>;

// What thread 0 has the others sum up, or that it is done.
const START = 0u;
const MEASURE = 1u; // what the second refusal leaves
const DRAW = 2u; // what the first leaves, to draw from
const NARROW = 3u; // the part of it where the token is
const DONE = 4u;
var<workgroup> task: u32;

// How the weights come about: the row's probabilities times factor[0]; or, where `stored`, those in `work`. Then
// max(factor[1] · p − q, 0) · factor[2] for the trial refused[0], and max(factor[3] · p − q, 0) for refused[1]. Where a
// trial is 0, nothing was refused. Refusals before these two are in `work`.
var<workgroup> row: u32;
var<workgroup> stored: bool;
var<workgroup> factor: array<vec2u, 4>;
var<workgroup> refused: array<u32, 2>;

// Of a trial: the probability with which a token was drawn.
fn drawn(trial: u32, token: u32) -> vec2u {
  let list = tree[trial + 1];
  var at = token;
  if (list != 0) {
    var high = tree[trial + 3];
    at = 0;
    while (at < high) {
      let middle = (at + high) / 2;
      if (tree[list + middle] < token) {
        at = middle + 1;
      } else {
        high = middle;
      }
    }
    if (at == tree[trial + 3] || tree[list + at] != token) {
      return ZERO;
    }
  }
  for (var elder = 0u; elder < tree[trial + 5]; elder++) {
    if (tree[tree[trial + 4] + 2 * elder] == token) {
      return ZERO;
    }
  }
  return times(numbers[tree[trial + 2] + at], numbers[tree[trial + 6] + 1]);
}

fn weight(token: u32) -> vec2u {
  var p: vec2u;
  if (stored) {
    p = work[token];
  } else {
    p = widened(probabilities[row * shape.vocab + token]);
  }
  for (var step = select(0u, 1u, stored); step < 4; step++) {
    p = times(p, factor[step]);
    if (step == 1 || step == 3) {
      let trial = refused[step / 2];
      if (trial != 0) {
        p = excess(p, drawn(trial, token));
      }
    } else if (step == 2 && refused[0] != 0 && refused[1] != 0) {
      work[token] = p;
    }
  }
  return p;
}

// What follows is for thread 0.

// Turns to a row of the target. False where it cannot be drawn from.
fn turn_to(next: u32) -> bool {
  row = next;
  stored = false;
  factor = array(factors[row], ONE, ONE, ONE);
  refused = array(0u, 0u);
  return !same(factor[0], ZERO);
}

// Refuses a trial, after p was multiplied by `scale`. What is left is to be summed up.
fn refuse(trial: u32, scale: vec2u) {
  refused[1] = trial;
  factor[3] = scale;
  whole_vocabulary();
  task = MEASURE;
}

// So little is owed that its inverse is no number: the verdict is left to TypeScript.
var<private> lost: bool;

// The refused trial leaves norm(max(scale · p − q, 0)), which summed up to `left`; or p, where it leaves nothing.
fn owe(left: vec2u) {
  stored = stored || refused[0] != 0;
  refused[0] = select(refused[1], 0u, same(left, ZERO));
  factor[1] = select(factor[3], ONE, same(left, ZERO));
  factor[2] = inverse(left);
  lost = lost || same(factor[2], INFINITY);
  refused[1] = 0;
  factor[3] = ONE;
}

var<private> used: u32;

fn next_uniform() -> vec2u {
  used++;
  return numbers[used - 1];
}

// True with this probability.
fn flip(probability: vec2u) -> bool {
  return less(next_uniform(), probability) || !less(probability, ONE);
}

// min(1, p/q), 0 where p is 0
fn acceptance(p: vec2u, q: vec2u) -> vec2u {
  if (same(p, ZERO)) {
    return ZERO;
  }
  if (!less(p, q)) {
    return ONE;
  }
  return over(p, q);
}

fn draw() {
  whole_vocabulary();
  task = DRAW;
}

// After the sums of a draw: true where `start` is the token; else there is more to sum up.
fn has_drawn() -> bool {
  if (task == DRAW) {
    begin_draw(next_uniform());
  }
  task = NARROW;
  return narrow_draw();
}

// The place below, where the token was drafted; else NOBODY.
fn below(place: u32, token: u32) -> u32 {
  let links = tree[5 * place + 3];
  for (var link = 0u; link < tree[5 * place + 4]; link++) {
    if (tree[links + 2 * link] == token) {
      return tree[links + 2 * link + 1];
    }
  }
  return NOBODY;
}

fn finish(settled: bool, place: u32, token: u32) {
  verdict[0] = select(0u, 1u, settled && !lost);
  verdict[1] = place;
  verdict[2] = token;
  verdict[3] = used;
  task = DONE;
}

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_id) me: vec3u) {
  let thread = me.x;
  if (thread == 0) {
    task = START;
  }
  loop {
    if (thread == 0 && (task != MEASURE || told())) {
      advance();
    }
    if (workgroupUniformLoad(&task) == DONE) {
      break;
    }
    sum_slices(thread);
    storageBarrier();
  }
}
