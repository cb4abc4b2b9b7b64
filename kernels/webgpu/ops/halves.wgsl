// Two float16 numbers of a word as float32, the lower half first: exactly, subnormal ones too. WGSL lets an adapter flush
// those to zero when it unpacks; KEEPS_SUBNORMALS says that this one was seen not to.
fn halves(word: u32) -> vec2f {
  let unpacked = unpack2x16float(word);
  if (KEEPS_SUBNORMALS) {
    return unpacked;
  }
  let magnitude = vec2u(word, word >> 16) & vec2u(0x7fff);
  let sign = vec2u(word << 16, word) & vec2u(0x80000000);
  // Fraction and exponent of 2^-14 · (1 + m / 1024), of which 2^-14 is too much.
  let small = bitcast<vec2f>((magnitude << vec2u(13)) | vec2u(0x38800000)) - vec2f(6.103515625e-5);
  return select(unpacked, bitcast<vec2f>(bitcast<vec2u>(small) | sign), magnitude < vec2u(0x400));
}
