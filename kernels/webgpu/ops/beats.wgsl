// The order of tokens: the likelier first, of equal scores the lowest id. Nobody loses to all.
const NOBODY = 0xffffffffu;

fn beats(token: u32, score: f32, other: u32, than: f32) -> bool {
  return other == NOBODY || score > than || (score == than && token < other);
}
