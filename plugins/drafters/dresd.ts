// dresd: what followed where the target was in nearly the same state. Texts are looked up by what the target makes of them,
// not by their words: a place is found again though it was told otherwise.
// DReSD: Dense Retrieval for Speculative Decoding (Gritta, Xue & Lampouras, 2025, arXiv 2502.15572).
//
// As in the paper: the key of a place is the target's last hidden state there, each number normalised by its mean and
// deviation, then PCA to `dimensions` numbers, then unit length; the value is what followed; a draft is asked for with the
// state that led to the root, by cosine; of the neighbours only those count that the root followed too. The paper has an
// approximate index (ScaNN) of ready-made data and filters what that finds. Here the filter comes first, so that a few
// hundred places are left, and these are searched exactly: no index is needed, nor is there one that is kept and runs in
// Bun and Deno alike. Places are those of this run: the prompt, the answer and earlier texts, the oldest giving way beyond
// PLACES; with a file PLACES those of earlier runs as well, which is read when it starts and written when it ends (of two
// runs at once the one that ends last). Normalisation and PCA are fitted once to the first SAMPLE states; until then whole
// states are compared. The neighbours' continuations make one tree, where the paper verifies them side by side.
//
// Law `point`. Memory: about 400 bytes a place with 64 dimensions, 26 MB at most; 8·width bytes a place until the fit, which
// comes while a long prompt is read.
import { tmpdir } from "node:os";
import type { Tap } from "../../src/backend.ts";
import type { Plan, Round, States } from "../../src/controller.ts";
import { fill } from "../../src/draft/fill.ts";
import { type KeptPlaces, readPlaces, refuseUnwritable, writePlaces } from "../../src/draft/kept-places.ts";
import { dot, Reduction, unit } from "../../src/draft/reduction.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

const TAP: Tap = "head";
const PLACES = 1 << 16;
const SAMPLE = 256;
/** How much less a neighbour counts that is so much further away, in cosine: by a factor of e. */
const FALL = 0.05;

/** Stands behind each text. */
const END = -1;

export interface DresdOptions {
  /** Numbers of a key, ≥ 1. */
  readonly dimensions: number;
  /** Neighbours that a draft is made of, ≥ 1. */
  readonly neighbours: number;
  /** Least cosine of a neighbour. */
  readonly least: number;
  /** Most tokens of a continuation. */
  readonly tokens: number;
}

/** A neighbour, at the place that comes next. */
interface Neighbour {
  readonly place: number;
  readonly weight: number;
}

export class DresdDrafter implements Drafter {
  readonly name = "dresd";
  readonly laws = ["point"] as const;
  readonly taps = [TAP];
  /** Tokens of all texts, and the key of the state after each; of place p at p modulo `most`. */
  readonly #tokens: Int32Array;
  readonly #keys: (Float32Array | undefined)[] = [];
  #places = 0;
  /** By token, the places that it followed, oldest first. */
  readonly #before = new Map<number, number[]>();
  /** Whole states until the reduction is fitted, by place. */
  readonly #states = new Map<number, Float32Array>();
  #fitting: Generator<void, Reduction> | undefined;
  #reduction: Reduction | undefined;
  #prompt = new Int32Array(0);
  #root = END;

  /** `most`: places that are kept, ≥ 2. `ended` is told when it is closed. */
  constructor(
    private readonly width: number,
    private readonly options: DresdOptions,
    private readonly most = PLACES,
    private readonly ended: (drafter: DresdDrafter) => void = () => {},
  ) {
    this.#tokens = new Int32Array(most);
  }

  /** Goes on with places of earlier runs; before the first text. */
  restore({ reduction, tokens, keys }: KeptPlaces): void {
    const columns = keys.length / tokens.length;
    tokens.forEach((token, i) => {
      const key = keys.slice(i * columns, (i + 1) * columns);
      const known = key.some((value) => value !== 0);
      this.#append(token, known && reduction === undefined ? key : undefined);
      if (known && reduction !== undefined) this.#keys[(this.#places - 1) % this.most] = key;
    });
    this.#reduction = reduction;
  }

  /** The places that are known, oldest first. */
  kept(): KeptPlaces {
    const first = Math.max(0, this.#places - this.most);
    const places = Array.from({ length: this.#places - first }, (_, i) => first + i);
    const row = (place: number) =>
      this.#reduction === undefined ? this.#states.get(place) : this.#keys[place % this.most];
    const columns = this.#reduction?.components.length ?? this.width;
    const keys = new Float32Array(places.length * columns);
    places.forEach((place, i) => keys.set(row(place) ?? [], i * columns));
    return { reduction: this.#reduction, tokens: Int32Array.from(places, (place) => this.#tokenAt(place)), keys };
  }

  close(): void {
    this.ended(this);
  }

  begin(prompt: Int32Array): void {
    this.#append(END);
    this.#prompt = prompt.slice();
    this.#root = prompt[prompt.length - 1];
  }

  observePrompt(from: number, _: unknown, states: States): void {
    const all = states.get(TAP)!;
    for (let row = 0; row < all.length / this.width; row++) this.#append(this.#prompt[from + row], this.#row(all, row));
    this.#fit();
  }

  observe({ committed, verdict, states }: Round): void {
    const all = states?.get(TAP);
    committed.forEach((token, i) => {
      this.#append(this.#root, all && this.#row(all, i === 0 ? 0 : verdict.path[i - 1] + 1));
      this.#root = token;
    });
    this.#fit();
  }

  draft(plan: Plan): DraftTree {
    const found = this.#nearest();
    if (found.length === 0) return EMPTY_TREE;
    const depth = Math.min(plan.depth, this.options.tokens);
    return fill<readonly Neighbour[]>({ ...plan, depth }, found, (places, offer) => {
      const below = new Map<number, Neighbour[]>();
      let all = 0;
      for (const { place, weight } of places) {
        all += weight;
        const token = this.#tokenAt(place);
        if (token === END) continue;
        const same = below.get(token);
        if (same === undefined) below.set(token, [{ place: place + 1, weight }]);
        else same.push({ place: place + 1, weight });
      }
      for (const [token, next] of below) offer(token, next.reduce((sum, { weight }) => sum + weight, 0) / all, next);
    }).tree;
  }

  /** The nearest places that the root followed, by the place behind it. */
  #nearest(): Neighbour[] {
    const { neighbours, least } = this.options;
    const query = this.#keys[(this.#places - 1) % this.most];
    if (query === undefined) return [];
    const found: { readonly place: number; readonly near: number }[] = [];
    for (const place of this.#following(this.#root)) {
      const key = this.#keys[place % this.most];
      const near = key === undefined || key.length !== query.length ? -Infinity : dot(query, key);
      if (near >= least) found.push({ place, near });
    }
    found.sort((a, b) => b.near - a.near || b.place - a.place);
    return found.slice(0, neighbours).map(({ place, near }) => ({
      place: place + 2,
      weight: Math.exp((near - found[0].near) / FALL),
    }));
  }

  /** Places that a token followed and that have not given way. */
  #following(token: number): readonly number[] {
    const places = this.#before.get(token) ?? [];
    const first = places.findIndex((place) => place > this.#places - this.most);
    if (first !== 0) places.splice(0, first < 0 ? places.length : first);
    return places;
  }

  /** END behind the last place. */
  #tokenAt(place: number): number {
    return place < this.#places ? this.#tokens[place % this.most] : END;
  }

  #append(token: number, state?: Float32Array): void {
    const place = this.#places++;
    this.#tokens[place % this.most] = token;
    this.#keys[place % this.most] = state && (this.#reduction?.project(state) ?? unit(state));
    if (state !== undefined && this.#reduction === undefined) this.#states.set(place, state);
    if (token === END || place === 0) return;
    const followed = this.#before.get(token);
    if (followed === undefined) this.#before.set(token, [place - 1]);
    else if (followed.push(place - 1) % 64 === 0) this.#following(token); // forgets those that gave way
  }

  /** A step towards the reduction, where there are states enough; when it is there, all keys are made by it. */
  #fit(): void {
    if (this.#reduction !== undefined || this.#states.size < SAMPLE) return;
    this.#fitting ??= Reduction.fitting([...this.#states.values()].slice(0, SAMPLE), this.options.dimensions);
    const { done, value } = this.#fitting.next();
    if (!done) return;
    this.#reduction = value;
    for (const [place, state] of this.#states) this.#keys[place % this.most] = value.project(state);
    this.#states.clear();
  }

  #row(states: Float32Array, row: number): Float32Array {
    return states.slice(row * this.width, (row + 1) * this.width);
  }
}

export default definePlugin({
  kind: "drafter",
  name: "dresd",
  summary: "what followed in any text of the run, or in PLACES, where the target's hidden state was nearly this",
  argument: "[PLACES]",
  paper: { title: "DReSD: Dense Retrieval for Speculative Decoding", year: 2025, arxiv: "2502.15572" },
  options: {
    dimensions: { type: "integer", default: 64, min: 1, max: 1024, summary: "numbers that are kept of a state" },
    neighbours: { type: "integer", default: 8, min: 1, max: 64, summary: "places that a draft is made of" },
    least: { type: "number", default: 0.3, min: -1, max: 1, summary: "least cosine of such a place" },
    tokens: { type: "integer", default: 10, min: 1, max: 64, summary: "most tokens of a continuation" },
  },
  async create(options, file, { target: { source }, cacheDir }) {
    const { title, spec: { width } } = source;
    if (file === "") return new DresdDrafter(width, options);
    const whose = { model: await source.hash(cacheDir ?? tmpdir()), title, width };
    refuseUnwritable(file);
    const before = readPlaces(file, whose);
    const drafter = new DresdDrafter(width, options, PLACES, (ended) => writePlaces(file, whose, ended.kept()));
    if (before !== undefined) drafter.restore(before);
    return drafter;
  },
});
