// One step of adding up the sums of 16 lanes, by workgroup memory: lanes whose numbers differ in the bit `stride` each
// keep half of their sums and give the other half away; with one sum left (kept = 0) both keep it. Two places take turns,
// beginning with `turn`: then one barrier for each sum is enough.
var<workgroup> given: array<vec2f, 2 * THREADS>;

fn exchange(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32, kept: u32, stride: u32, turn: u32) {
  let upper = (thread & stride) != 0;
  for (var i = 0u; i < max(kept, 1u); i++) {
    let place = (turn + i) % 2 * THREADS + thread;
    given[place] = select((*sums)[i + kept], (*sums)[i], upper);
    workgroupBarrier();
    (*sums)[i] = select((*sums)[i], (*sums)[i + kept], upper) + given[place ^ stride];
  }
}
