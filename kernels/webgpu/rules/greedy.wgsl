// The rule `greedy`: down the draft along the likeliest tokens.
//
// best [rows, BEST_WORDS], the likeliest token first; tree as rules/owed.wgsl has it → verdict [4]: 1, the place where the
// walk ends, the next token, no uniform numbers. Workgroup: 1 thread. Grid: [1].
@group(0) @binding(0) var<storage, read> best: array<u32>;
@group(0) @binding(1) var<storage, read> tree: array<u32>;
@group(0) @binding(2) var<storage, read_write> verdict: array<u32>;

@compute @workgroup_size(1)
fn main() {
  var place = 0u;
  loop {
    let token = best[tree[5 * place] * BEST_WORDS];
    var next = place;
    for (var link = 0u; link < tree[5 * place + 4] && next == place; link++) {
      let at = tree[5 * place + 3] + 2 * link;
      if (tree[at] == token) {
        next = tree[at + 1];
      }
    }
    if (next == place) {
      verdict[0] = 1;
      verdict[1] = place;
      verdict[2] = token;
      verdict[3] = 0;
      break;
    }
    place = next;
  }
}
