// What drafters of another vocabulary say q is, added up a second time from the definition: path by path, slowly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { omniDraftOf } from "../../../plugins/drafters/omnidraft.ts";
import { slrsOf } from "../../../plugins/drafters/slrs.ts";
import { TliProposer } from "../../../plugins/drafters/tli.ts";
import type { Engine } from "../../../src/backend.ts";
import { SeededChance } from "../../../src/chance.ts";
import { type Pair, PAIRS } from "../../../src/check/drafters.ts";
import { Random } from "../../../src/check/generate-cases.ts";
import { type Written, WrittenEngine } from "../../../src/check/written.ts";
import { joined } from "../../../src/draft/byte-encoder.ts";
import type { Proposer } from "../../../src/drafter.ts";
import { dense, probability, residual } from "../../../src/math/distribution.ts";
import { GREEDY } from "../../../src/sampling.ts";

type Path = readonly number[];

/** What the draft model finds likely after a path, below the text that it was given. */
type After = (path: Path) => readonly number[];

/** q of `make`'s proposer for what follows the pair's prompt, and the rows that it was made of. */
async function qOf(pair: Pair, seed: number, make: (target: Engine, draft: Engine) => Proposer) {
  const texts: Path[] = [];
  const row = (text: Path) => {
    const random = new Random(new SeededChance(`${pair.name} ${seed} ${text}`));
    const weights = pair.draft.map(() => random.uniform() ** 3);
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };
  const draft = new WrittenEngine(pair.draft, (text) => {
    texts.push(text);
    return dense(row(text));
  });
  const proposer = make(new WrittenEngine(pair.target, () => assert.fail("nobody asks the target")), draft);
  await proposer.sync(Int32Array.from(pair.prompt), { ...GREEDY, temperature: 1 });
  const [q] = await proposer.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
  const after: After = (path) => row([...texts[0], ...path]);
  return { q: pair.target.map((_, token) => q === undefined ? 0 : probability(q, token)), after };
}

const text = (tokens: Written, path: Path) => joined(path.map((token) => tokens[token]));
const begins = (whole: ArrayLike<number>, part: ArrayLike<number>) =>
  part.length <= whole.length && Array.from(part).every((value, i) => value === whole[i]);
const equal = (a: ArrayLike<number>, b: ArrayLike<number>) => a.length === b.length && begins(a, b);

/** The token of `tokens` that stands for the same as token `own` of `others`; −1 where there is none. */
function same(tokens: Written, others: Written, own: number): number {
  const bytes = others[own];
  return tokens.findIndex((token, i) => equal(token, bytes) && (bytes.length > 0 || i === own));
}

/** The longest token that bytes begin with. */
function longest(tokens: Written, bytes: Uint8Array): number | undefined {
  const fitting = [...tokens.keys()].filter((token) => tokens[token].length > 0 && begins(bytes, tokens[token]));
  return fitting.sort((a, b) => tokens[b].length - tokens[a].length)[0];
}

/** Bytes cut into the longest tokens from the left; undefined where a byte has no token. */
function cut(tokens: Written, bytes: Uint8Array): Path | undefined {
  if (bytes.length === 0) return [];
  const token = longest(tokens, bytes);
  const rest = token === undefined ? undefined : cut(tokens, bytes.subarray(tokens[token].length));
  return rest && [token!, ...rest];
}

/** How the draft model spells tokens of the target that it does not have. */
function spellingsOf({ target, draft }: Pair): { token: number; path: Path }[] {
  return [...target.keys()].filter((token) => same(draft, target, token) < 0)
    .map((token) => ({ token, path: cut(draft, target[token]) ?? [] }))
    .filter(({ path }) => path.length > 1);
}

/** `weights` by token of the target; −1 is no token. */
function sums({ target }: Pair, weights: readonly (readonly [token: number, weight: number])[]): number[] {
  return [...target.keys()].map((token) => weights.reduce((sum, [t, weight]) => t === token ? sum + weight : sum, 0));
}

function agree(found: readonly number[], expected: readonly number[], what: string): void {
  const sum = expected.reduce((a, b) => a + b, 0) || 1;
  expected.forEach((value, token) => {
    assert.ok(Math.abs(found[token] - value / sum) < 1e-13, `${what}: token ${token} ${found[token]}, ${value / sum}`);
  });
}

const SEEDS = [0, 1, 2, 3, 4];

test("tli: the draft model's distribution over the tokens of both", async () => {
  for (const pair of PAIRS) {
    for (const seed of SEEDS) {
      const { q, after } = await qOf(pair, seed, (target, draft) => new TliProposer(target, draft));
      const weights = after([]).map((weight, own) => [same(pair.target, pair.draft, own), weight] as const);
      agree(q, sums(pair, weights), pair.name);
    }
  }
});

/** All draws of algorithm 3: the draft model's tokens until none of `spellings` goes on, each draw with its probability. */
function draws(after: After, spellings: readonly { path: Path }[], path: Path = [], weight = 1): [Path, number][] {
  const open = path.length === 0 || spellings.some((other) => begins(other.path, path) && !equal(other.path, path));
  if (!open) return [[path, weight]];
  return after(path).flatMap((next, own) => draws(after, spellings, [...path, own], weight * next));
}

/** The target's first token for the text of a path. */
function firstOf({ target, draft }: Pair, path: Path): number {
  if (path.length === 1 && draft[path[0]].length === 0) return same(target, draft, path[0]);
  for (let bytes = text(draft, path); bytes.length > 0; bytes = bytes.subarray(1)) { // what has no token is left out
    const fitting = longest(target, bytes);
    if (fitting !== undefined) return fitting;
  }
  return -1;
}

test("slrs: ψ is the probability of all ways to write a token, and algorithm 3 gives the target's distribution", async () => {
  let longer = 0;
  for (const pair of PAIRS) {
    for (const seed of SEEDS) {
      const { q, after } = await qOf(pair, seed, (target, draft) => slrsOf(target, draft, { rows: 32, least: 0 }));
      const all = draws(after, spellingsOf(pair));
      longer += all.filter(([path]) => path.length > 1).length;
      const psi = sums(pair, all.map(([path, weight]) => [firstOf(pair, path), weight]));
      agree(q, psi, pair.name);

      const random = new Random(new SeededChance(`target ${pair.name} ${seed}`));
      const weights = pair.target.map(() => random.uniform() ** 3);
      const p = weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
      const left = residual(dense(p), dense(q));
      const said = pair.target.map(() => 0);
      const drawn = psi.reduce((a, b) => a + b, 0); // without the draws that have no token of the target
      for (const [path, weight] of all) {
        const t = firstOf(pair, path);
        if (t < 0) continue;
        const kept = Math.min(1, p[t] / q[t]);
        said[t] += weight / drawn * kept;
        said.forEach((_, token) => said[token] += weight / drawn * (1 - kept) * probability(left, token));
      }
      if (drawn > 0) agree(said, p, `algorithm 3 on ${pair.name}`);
    }
  }
  assert.ok(longer > 100);
});

test("slrs follows no more paths than it may", async () => {
  const pair = PAIRS.find(({ name }) => name === "the draft spells")!;
  for (const seed of SEEDS) {
    const { q, after } = await qOf(pair, seed, (target, draft) => slrsOf(target, draft, { rows: 1, least: 0 }));
    const [a, b] = after([]); // "a" begins "ab" and "aba", "b" begins nothing
    const below = after([0]).map((next, own) => [firstOf(pair, [0, own]), a * next] as const);
    const weights = [[firstOf(pair, [1]), b] as const, ...below];
    agree(q, sums(pair, weights), `seed ${seed}`);
  }
});

test("omnidraft: what the cache merges is taken from what the first token is likely", async () => {
  let merged = 0;
  for (const pair of PAIRS) {
    for (const seed of SEEDS) {
      const { q, after } = await qOf(
        pair,
        seed,
        (target, draft) => omniDraftOf(target, draft, 100, { rows: 32, least: 0 }),
      );
      const cached = spellingsOf(pair).filter(({ token }) => pair.prompt.includes(token));
      const walk = (path: Path, weight: number, token: number): (readonly [number, number])[] => {
        const on = (own: number) => cached.filter((other) => begins(other.path, [...path, own]));
        if (!cached.some((other) => begins(other.path, path) && !equal(other.path, path))) return [[token, weight]];
        return after(path).flatMap((next, own) => {
          const whole = on(own).find((other) => equal(other.path, [...path, own]));
          if (whole) merged++;
          return on(own).length === 0
            ? [[token, weight * next]]
            : walk([...path, own], weight * next, whole?.token ?? token);
        });
      };
      const weights = after([]).flatMap((weight, own) => walk([own], weight, same(pair.target, pair.draft, own)));
      agree(q, sums(pair, weights), pair.name);
    }
  }
  assert.ok(merged > 10);
});
