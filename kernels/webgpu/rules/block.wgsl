// The rule `block` (2024, arXiv 2403.10444): the chain of first children is judged as a whole, its longest prefix that
// stands is kept. What is drawn then may be a younger sibling; the block starts anew there. The only trial of a place is
// its first child. Shapes, workgroup and grid: as above.
var<workgroup> chain: array<u32, MOST_ROWS>; // places
var<workgroup> covered: array<vec2u, MOST_ROWS>; // b of the paper
var<private> kept: u32;

fn first_trial(step: u32) -> u32 {
  return tree[5 * chain[step] + 1];
}

// Follows the first children down and covers them. False where a row cannot be drawn from.
fn cover(first: u32) -> bool {
  var place = first;
  var fit = true;
  kept = 0;
  covered[0] = ONE;
  loop {
    chain[kept] = place;
    fit = turn_to(tree[5 * place]);
    if (!fit || tree[5 * place + 2] == 0) {
      break;
    }
    let trial = first_trial(kept);
    let p = times(weight(tree[trial]), covered[kept]);
    covered[kept + 1] = acceptance(p, numbers[tree[trial + 6]]);
    kept++;
    place = below(place, tree[trial]);
  }
  return fit;
}

fn advance() {
  var place = 0u;
  if (task == MEASURE) {
    let left = measured();
    let all = excess(plus(left, ONE), covered[kept]);
    var probability = ONE;
    if (!same(all, ZERO)) {
      probability = over(left, all);
    }
    // Where nothing of the chain is left to keep, there is nothing to flip for.
    if (kept == 0 || flip(probability)) {
      owe(left);
      draw();
      return;
    }
  } else {
    if (task != START) {
      if (!has_drawn()) {
        return;
      }
      place = below(chain[kept], start);
      if (place == NOBODY) {
        finish(true, chain[kept], start);
        return;
      }
    }
    if (!cover(place)) {
      finish(false, place, NOBODY);
      return;
    }
    if (flip(covered[kept])) {
      draw();
      return;
    }
  }
  kept--;
  _ = turn_to(tree[5 * chain[kept]]);
  refuse(first_trial(kept), covered[kept]);
}
