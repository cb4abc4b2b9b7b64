// The rules `token`, `recursive` and `top-and-one`: at each place the trials in turn, each accepted with probability
// min(1, p/q) or refused, which leaves norm(max(p − q, 0)); after the last refusal a token of what is left. If the token
// was drafted, the walk goes on below it. Shapes, workgroup and grid: as above.
var<private> place: u32;
var<private> tried: u32;

fn advance() {
  var said = NOBODY;
  var entered = task == START;
  if (task == MEASURE) {
    owe(measured());
    tried++;
  } else if (task != START) {
    if (!has_drawn()) {
      return;
    }
    said = start;
  }
  loop {
    if (said != NOBODY) {
      let next = below(place, said);
      if (next == NOBODY) {
        finish(true, place, said);
        return;
      }
      place = next;
      entered = true;
    }
    if (entered) {
      entered = false;
      tried = 0;
      if (!turn_to(tree[5 * place])) {
        finish(false, place, NOBODY);
        return;
      }
    }
    if (tried == tree[5 * place + 2]) {
      draw();
      return;
    }
    let trial = tree[5 * place + 1] + 7 * tried;
    said = tree[trial];
    if (!flip(acceptance(weight(said), numbers[tree[trial + 6]]))) {
      refuse(trial, ONE);
      return;
    }
  }
}
