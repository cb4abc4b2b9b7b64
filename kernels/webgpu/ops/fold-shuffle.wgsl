// One step of adding up the sums of 16 lanes, by shuffles: lanes whose numbers differ in the bit `stride` each keep half
// of their sums and give the other half away; with one sum left (kept = 0) both keep it.
fn shuffle(sums: ptr<function, array<vec2f, ITEMS>>, thread: u32, kept: u32, stride: u32) {
  let upper = (thread & stride) != 0;
  for (var i = 0u; i < max(kept, 1u); i++) {
    let mine = select((*sums)[i], (*sums)[i + kept], upper);
    let theirs = select((*sums)[i + kept], (*sums)[i], upper);
    (*sums)[i] = mine + subgroupShuffleXor(theirs, stride);
  }
}
