// All substrings of some texts, with how often each occurs and what follows it: a suffix automaton that grows token by
// token. A state stands for the substrings that end at the same places; its link leads to the longest of their suffixes
// that ends at more places. At most two states and three edges a token.
// The Smallest Automaton Recognizing the Subwords of a Text (Blumer et al., 1985, Theoretical Computer Science 40).

const NONE = -1;

/** The state of the empty string. */
export const START = 0;

/** Words of up to so many tokens are counted, with what follows them. What is longer is found, but not counted. */
export const LONGEST = 64;

/** A number list that grows. */
class Column {
  values = new Int32Array(64);

  set(index: number, value: number): void {
    if (index >= this.values.length) {
      const larger = new Int32Array(2 * index);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[index] = value;
  }
}

export class SuffixAutomaton {
  // Of each state: link, length of its longest substring, occurrences, where it first ended, its latest edge.
  readonly #link = new Column();
  readonly #length = new Column();
  readonly #count = new Column();
  readonly #end = new Column();
  readonly #latest = new Column();
  #states = 0;
  // Of each edge: where it starts, its token, where it leads, and the edge before it of the same state.
  readonly #from = new Column();
  readonly #token = new Column();
  readonly #to = new Column();
  readonly #before = new Column();
  #edges = 0;
  /** Edges by state and token: open addressing, −1 where free. A power of two, at most half full. */
  #table = new Int32Array(128).fill(NONE);
  #last = START;
  /** The state of the last LONGEST + 1 tokens of the text, and how many of them there are. */
  #counted = START;
  #countedLength = 0;
  #tokens = 0;

  constructor() {
    this.#addState(0, NONE, 0, 0);
  }

  /** Tokens of all texts. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Bytes that it takes. */
  get bytes(): number {
    const columns = [this.#link, this.#length, this.#count, this.#end, this.#latest];
    const edges = [this.#from, this.#token, this.#to, this.#before];
    return 4 * [...columns, ...edges].reduce((sum, { values }) => sum + values.length, this.#table.length);
  }

  /** A new text begins: no substring reaches from the one before into it. */
  beginText(): void {
    this.#last = this.#counted = START;
    this.#countedLength = 0;
  }

  append(token: number): void {
    const end = this.#tokens++;
    const last = this.#last;
    let edge = this.#find(last, token);
    let state: number;
    if (edge !== NONE) { // another text began like this
      state = this.#own(last, token, this.#to.values[edge]);
    } else {
      state = this.#addState(this.#length.values[last] + 1, START, 0, end);
      let above = last;
      while (above !== NONE && (edge = this.#find(above, token)) === NONE) {
        this.#addEdge(above, token, state);
        above = this.#link.values[above];
      }
      if (above !== NONE) this.#link.set(state, this.#own(above, token, this.#to.values[edge]));
    }
    this.#last = state;
    this.#counted = this.#holding(this.#counted, this.#countedLength); // a clone may have taken it over
    this.#countedLength = Math.min(this.#countedLength + 1, LONGEST + 1);
    this.#counted = this.#holding(this.step(this.#counted, token), this.#countedLength);
    for (let at = this.#counted; at !== START; at = this.#link.values[at]) this.#count.values[at]++;
  }

  /** The state whose longest substring is that of `above` and `token`, where `to` is what the token leads to. */
  #own(above: number, token: number, to: number): number {
    const length = this.#length.values[above] + 1;
    if (this.#length.values[to] === length) return to;
    const clone = this.#addState(length, this.#link.values[to], this.#count.values[to], this.#end.values[to]);
    for (let edge = this.#latest.values[to]; edge !== NONE; edge = this.#before.values[edge]) {
      this.#addEdge(clone, this.#token.values[edge], this.#to.values[edge]);
    }
    this.#link.values[to] = clone;
    for (let at = above; at !== NONE; at = this.#link.values[at]) {
      const edge = this.#find(at, token);
      if (edge === NONE || this.#to.values[edge] !== to) break;
      this.#to.values[edge] = clone;
    }
    return clone;
  }

  /** Of the suffixes of a state's substrings, the state of that of `length` tokens. */
  #holding(state: number, length: number): number {
    while (state !== START && this.#length.values[this.#link.values[state]] >= length) state = this.#link.values[state];
    return state;
  }

  /** The state of the longest end of the text, up to LONGEST tokens, that also stands elsewhere; START where there is none. */
  get repeated(): number {
    let state = this.#holding(this.#counted, Math.min(this.#countedLength, LONGEST));
    while (state !== START && this.#count.values[state] < 2) state = this.#link.values[state];
    return state;
  }

  /** The state of the longest of its suffixes whose followers are counted: one of at most LONGEST tokens. */
  counted(state: number): number {
    return this.#holding(state, LONGEST);
  }

  /** The state of the longest proper suffix that ends at more places. −1 for START. */
  link(state: number): number {
    return this.#link.values[state];
  }

  /** Tokens of the longest substring of a state. */
  length(state: number): number {
    return this.#length.values[state];
  }

  /** How often the substrings of a state occur; of states whose shortest one has more than LONGEST + 1 tokens, too few. */
  count(state: number): number {
    return this.#count.values[state];
  }

  /** Place of the last token of some occurrence, counted over all texts. */
  end(state: number): number {
    return this.#end.values[state];
  }

  /** What the token leads to; −1 where it never followed. */
  step(state: number, token: number): number {
    const edge = this.#find(state, token);
    return edge === NONE ? NONE : this.#to.values[edge];
  }

  /** Whether anything ever followed: false where texts ended. */
  goesOn(state: number): boolean {
    return this.#latest.values[state] !== NONE;
  }

  /** What follows a state. Occurrences of `to` are those of the state with the token after it. */
  forEachNext(state: number, visit: (token: number, to: number) => void): void {
    for (let edge = this.#latest.values[state]; edge !== NONE; edge = this.#before.values[edge]) {
      visit(this.#token.values[edge], this.#to.values[edge]);
    }
  }

  #addState(length: number, link: number, count: number, end: number): number {
    const state = this.#states++;
    this.#length.set(state, length);
    this.#link.set(state, link);
    this.#count.set(state, count);
    this.#end.set(state, end);
    this.#latest.set(state, NONE);
    return state;
  }

  #addEdge(from: number, token: number, to: number): void {
    const edge = this.#edges++;
    this.#from.set(edge, from);
    this.#token.set(edge, token);
    this.#to.set(edge, to);
    this.#before.set(edge, this.#latest.values[from]);
    this.#latest.values[from] = edge;
    if (2 * this.#edges > this.#table.length) {
      this.#table = new Int32Array(4 * this.#table.length).fill(NONE);
      for (let old = 0; old < edge; old++) this.#index(old);
    }
    this.#index(edge);
  }

  #index(edge: number): void {
    const mask = this.#table.length - 1;
    let slot = hash(this.#from.values[edge], this.#token.values[edge]) & mask;
    while (this.#table[slot] !== NONE) slot = (slot + 1) & mask;
    this.#table[slot] = edge;
  }

  #find(from: number, token: number): number {
    const mask = this.#table.length - 1;
    for (let slot = hash(from, token) & mask;; slot = (slot + 1) & mask) {
      const edge = this.#table[slot];
      if (edge === NONE || (this.#from.values[edge] === from && this.#token.values[edge] === token)) return edge;
    }
  }
}

function hash(from: number, token: number): number {
  let hash = Math.imul(from, 0x9e3779b1) ^ Math.imul(token, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
