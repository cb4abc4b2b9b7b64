// All suffixes of a text in order, in time linear in its length.
// Two Efficient Algorithms for Linear Time Suffix Array Construction (Nong, Zhang and Chan, 2011, IEEE Transactions on
// Computers 60): SA-IS. Suffixes that are smaller than the one after them and follow one that is not (LMS) are sorted
// first, by names for the pieces between them, and the order of all others is induced from theirs.

/** [n] Where the suffixes of `text` begin, smallest first. Symbols are 0 … `largest`; a suffix that ends is smaller. */
export function suffixArray(text: Int32Array, largest: number): Int32Array {
  const n = text.length;
  const suffixes = new Int32Array(n);
  if (n < 2) return suffixes;
  const smaller = smallerThanNext(text);
  const isLms = (at: number) => at > 0 && smaller[at] === 1 && smaller[at - 1] === 0;
  const ends = bucketEnds(text, largest);

  const places: number[] = [];
  for (let at = 1; at < n; at++) if (isLms(at)) places.push(at);
  const inText = Int32Array.from(places);
  induce(suffixes, text, smaller, ends, inText);
  if (inText.length < 2) return suffixes;

  const sorted = suffixes.filter(isLms);
  const { names, different } = nameInOrder(text, inText, sorted);
  const order = different === names.length ? sorted : suffixArray(names, different - 1).map((i) => inText[i]);
  induce(suffixes, text, smaller, ends, order);
  return suffixes;
}

/** [n] 1 where the suffix is smaller than the one after it. The last is not: nothing is smaller than something. */
function smallerThanNext(text: Int32Array): Uint8Array {
  const smaller = new Uint8Array(text.length);
  for (let at = text.length - 2; at >= 0; at--) {
    smaller[at] = text[at] === text[at + 1] ? smaller[at + 1] : text[at] < text[at + 1] ? 1 : 0;
  }
  return smaller;
}

/** [largest + 1] How many symbols are at most this one: where its bucket of the suffix array ends. */
function bucketEnds(text: Int32Array, largest: number): Int32Array {
  const ends = new Int32Array(largest + 1);
  for (let at = 0; at < text.length; at++) ends[text[at]]++;
  for (let symbol = 1; symbol <= largest; symbol++) ends[symbol] += ends[symbol - 1];
  return ends;
}

/** Sorts all suffixes, given the LMS ones in order; given them in any order, the LMS pieces. */
function induce(
  suffixes: Int32Array,
  text: Int32Array,
  smaller: Uint8Array,
  ends: Int32Array,
  lms: Int32Array,
): void {
  const n = text.length;
  suffixes.fill(-1);
  const tails = ends.slice();
  for (let i = lms.length - 1; i >= 0; i--) suffixes[--tails[text[lms[i]]]] = lms[i];
  const heads = new Int32Array(ends.length);
  heads.set(ends.subarray(0, -1), 1);
  suffixes[heads[text[n - 1]]++] = n - 1; // before the end of the text, which is smaller than all
  for (let i = 0; i < n; i++) {
    const at = suffixes[i] - 1;
    if (at >= 0 && smaller[at] === 0) suffixes[heads[text[at]]++] = at;
  }
  tails.set(ends);
  for (let i = n - 1; i >= 0; i--) {
    const at = suffixes[i] - 1;
    if (at >= 0 && smaller[at] === 1) suffixes[--tails[text[at]]] = at;
  }
}

/** The LMS pieces as symbols: `names` in the order of the text, equal pieces alike, in the order of `sorted`. */
function nameInOrder(text: Int32Array, inText: Int32Array, sorted: Int32Array) {
  const n = text.length;
  const rank = new Int32Array(n); // where in `inText` a piece begins
  inText.forEach((at, i) => rank[at] = i);
  const endOf = (at: number) => rank[at] + 1 < inText.length ? inText[rank[at] + 1] : n;
  const same = (a: number, b: number) => {
    const length = endOf(a) - a;
    if (endOf(b) - b !== length || a + length === n || b + length === n) return false;
    for (let i = 0; i <= length; i++) if (text[a + i] !== text[b + i]) return false;
    return true;
  };
  const names = new Int32Array(inText.length);
  let name = 0;
  for (let i = 1; i < sorted.length; i++) {
    if (!same(sorted[i - 1], sorted[i])) name++;
    names[rank[sorted[i]]] = name;
  }
  return { names, different: name + 1 };
}
