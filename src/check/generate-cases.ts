// Cases for the losslessness proof: random ones, and the kinds on which rules are known to break.
import type { Chance } from "../chance.ts";
import { dense } from "../math/distribution.ts";
import { depthOf, type DraftLaw } from "../tree.ts";
import { type Case, contextCount } from "./case.ts";

/** What a kind of case makes for one context: rows of p and q, [vocab] each. */
type RowPair = (vocab: number, random: Random) => [p: number[], q: number[]];

/** Numbers for cases. Any Chance will do, so cases repeat with a seed. */
export class Random {
  private static readonly digits = dense(new Array(32).fill(1));

  constructor(private readonly chance: Chance) {}

  /** 0 ≤ u < 1, of 25 bits. */
  uniform(): number {
    let value = 0;
    for (let i = 0; i < 5; i++) value = (value + this.chance.pick(Random.digits)) / 32;
    return value;
  }

  /** 0 … below − 1 */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

export function scaled(values: readonly number[]): number[] {
  const sum = values.reduce((a, b) => a + b, 0);
  return values.map((value) => value / sum);
}

const list = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** A target with log p ~ spread·N(0, 1), and a drafter that is off by noise·N(0, 1). */
function related(vocab: number, random: Random, spread: number, noise: number): [number[], number[]] {
  const log = list(vocab, () => spread * random.normal());
  return [scaled(log.map(Math.exp)), scaled(log.map((l) => Math.exp(l + noise * random.normal())))];
}

/** Sets some values to 0, but not all. */
function punch(values: number[], random: Random): number[] {
  const keep = random.integer(values.length);
  return scaled(values.map((value, i) => i !== keep && random.uniform() < 0.5 ? 0 : value));
}

/** `values`, of which `rest` is shared out again to all but token `at`, which gets what is missing from 1. */
function peaked(values: readonly number[], at: number, rest: number): number[] {
  const others = scaled(values.map((value, i) => i === at ? 0 : value));
  return others.map((value, i) => i === at ? 1 - rest : value * rest);
}

/** Each token has a fraction of what the one before it has. What is below the least of numbers is 0. */
function steps(vocab: number, random: Random, fraction: number): number[] {
  const first = random.integer(vocab);
  return scaled(list(vocab, (i) => fraction ** ((i + first) % vocab)));
}

const oneHot = (vocab: number, at: number) => list(vocab, (i) => i === at ? 1 : 0);

/**
 * Nearly all on one token, `rest` on the others: what is left once the likeliest token is gone must be scaled up again.
 * With `steps` that comes again and again.
 */
export const PEAKS: Readonly<Record<string, (...of: [...Parameters<RowPair>, rest: number]) => ReturnType<RowPair>>> = {
  "peaked q": (vocab, random, rest) => {
    const [p, q] = related(vocab, random, 1, 1);
    return [p, peaked(q, random.integer(vocab), rest)];
  },
  "peaked p": (vocab, random, rest) => {
    const [p, q] = related(vocab, random, 1, 1);
    return [peaked(p, random.integer(vocab), rest), q];
  },
  "peaked apart": (vocab, random, rest) => {
    const [p, q] = related(vocab, random, 1, 1);
    const at = random.integer(vocab);
    return [peaked(p, at, rest), peaked(q, (at + 1) % vocab, rest)];
  },
  "peaked alike": (vocab, random, rest) => {
    const [p, q] = related(vocab, random, 1, 1);
    const at = random.integer(vocab);
    return [peaked(p, at, rest), peaked(q, at, rest)];
  },
  "steps in q": (vocab, random, rest) => [related(vocab, random, 1, 1)[0], steps(vocab, random, rest)],
  "steps in both": (vocab, random, rest) => [steps(vocab, random, rest), steps(vocab, random, rest)],
};

/** The least power of ten that is a number. */
export const LEAST_POWER = 323;

/** 10^-1 … 10^-323, half of them above 10^-20. */
function little(random: Random): number {
  return tenth(1 + random.integer(random.uniform() < 0.5 ? 20 : LEAST_POWER));
}

const tenth = (power: number) => Number(`1e-${power}`);

/** By name; the order is that of the report. */
export const KINDS: Readonly<Record<string, RowPair>> = {
  "random": (vocab, random) => related(vocab, random, 1.5, 1),
  "unrelated": (vocab, random) => [related(vocab, random, 2, 0)[0], related(vocab, random, 2, 0)[0]],
  "zeros in p": (vocab, random) => {
    const [p, q] = related(vocab, random, 1, 1);
    return [punch(p, random), q];
  },
  "zeros in q": (vocab, random) => {
    const [p, q] = related(vocab, random, 1, 1);
    return [p, punch(q, random)];
  },
  "zeros in both": (vocab, random) => {
    const [p, q] = related(vocab, random, 1, 1);
    return [punch(p, random), punch(q, random)];
  },
  "p = q": (vocab, random) => {
    const [p] = related(vocab, random, 1.5, 0);
    return [p, p.slice()];
  },
  "p = q but for rounding": (vocab, random) => {
    const [p] = related(vocab, random, 1.5, 0);
    return [p, scaled(p.map((value) => value * (1 + (random.integer(3) - 1) * 2 ** -52)))];
  },
  "disjoint": (vocab, random) => {
    const cut = 1 + random.integer(vocab - 1);
    const [p, q] = related(vocab, random, 1, 1);
    return [scaled(p.map((value, i) => i < cut ? value : 0)), scaled(q.map((value, i) => i < cut ? 0 : value))];
  },
  "one-hot p": (vocab, random) => [oneHot(vocab, random.integer(vocab)), related(vocab, random, 1, 1)[1]],
  "one-hot q": (vocab, random) => [related(vocab, random, 1, 1)[0], oneHot(vocab, random.integer(vocab))],
  "ties": (vocab, random) => [
    scaled(list(vocab, () => 1 + random.integer(2))),
    scaled(list(vocab, () => 1 + random.integer(2))),
  ],
  "uniform": (vocab) => [list(vocab, () => 1 / vocab), list(vocab, () => 1 / vocab)],
  "denormals": (vocab, random) => {
    const [p, q] = related(vocab, random, 1, 1);
    const tiny = [5e-324, 1e-320, 1e-310, 1e-300];
    const some = (values: number[]) =>
      values.map((v, i) => i > 0 && random.uniform() < 0.5 ? tiny[random.integer(4)] : v);
    return [some(p), some(q)];
  },
  "sums off by 1e-7": (vocab, random) => {
    const [p, q] = related(vocab, random, 1.5, 1);
    const off = () => 1 + (random.uniform() < 0.5 ? 1e-7 : -1e-7);
    const [a, b] = [off(), off()];
    return [p.map((value) => value * a), q.map((value) => value * b)];
  },
  "float32": (vocab, random) => {
    const [p, q] = related(vocab, random, 2, 1);
    return [p.map(Math.fround), q.map(Math.fround)];
  },
  ...Object.fromEntries(
    Object.entries(PEAKS).map(([kind, rows]): [string, RowPair] => [
      kind,
      (vocab, random) => rows(vocab, random, little(random)),
    ]),
  ),
};

/** Every context its own rows; under the kind `mixed`, of a kind of its own. */
export function makeCase(kind: string, law: DraftLaw, vocab: number, parents: readonly number[], random: Random): Case {
  const kinds = Object.keys(KINDS);
  const rows = list(contextCount(vocab, depthOf({ parents })), () => {
    return KINDS[kind === "mixed" ? kinds[random.integer(kinds.length)] : kind](vocab, random);
  });
  return caseOf(kind, law, vocab, parents, random, rows);
}

/**
 * Rows with 10^-power for all tokens but one: peaks in q, in p and on different tokens of both, and where that is not
 * too little to matter, of all kinds.
 */
export function* peaks(vocab: number, power: number, random: Random): Generator<[kind: string, ReturnType<RowPair>]> {
  for (const [kind, rows] of Object.entries(PEAKS)) {
    if (power > 20 && !ALWAYS.includes(kind)) continue;
    yield [kind, rows(vocab, random, tenth(power))];
  }
}

const ALWAYS = ["peaked q", "peaked p", "peaked apart"];

/** One place with `drafts` drafts from such rows. What follows it is of no matter, so it is one token each time. */
export function* peakedCases(law: DraftLaw, drafts: number, power: number, random: Random): Generator<Case> {
  const vocab = 4;
  for (const [kind, place] of peaks(vocab, power, random)) {
    const after = list(vocab, () => oneHot(vocab, random.integer(vocab)));
    const star = list(drafts, () => -1);
    yield caseOf(kind, law, vocab, star, random, [place, ...after.map((p): [number[], number[]] => [p, p])]);
  }
}

function caseOf(
  kind: string,
  law: DraftLaw,
  vocab: number,
  parents: readonly number[],
  random: Random,
  rows: readonly ReturnType<RowPair>[],
): Case {
  return {
    kind,
    law,
    vocab,
    parents,
    p: rows.map(([p]) => p),
    q: rows.slice(0, contextCount(vocab, depthOf({ parents }) - 1)).map(([, q]) => q),
    ...(law === "beam" && { growing: random.uniform() < 0.5 }),
    sparse: random.uniform() < 0.5,
  };
}

/** How large cases may be. */
export interface Size {
  readonly vocab: number;
  /** Drafts of one place. */
  readonly drafts: number;
  /** Drafted tokens from the root to a leaf. */
  readonly depth: number;
  /** Most places of a tree. */
  readonly nodes: number;
}

/** Trees of up to that size: the chain, the star, the full tree, and uneven ones. */
export function treeShapes({ drafts, depth, nodes }: Size, random: Random, uneven = 2): number[][] {
  const chain = list(Math.min(depth, nodes), (i) => i - 1);
  const star = list(Math.min(drafts, nodes), () => -1);
  const full = star.slice();
  for (let level = 1, start = 0; level < depth; level++) {
    const end = full.length;
    for (let parent = start; parent < end; parent++) {
      for (let i = 0; i < drafts && full.length < nodes; i++) full.push(parent);
    }
    start = end;
  }
  const shapes = [chain, star, full];
  for (let i = 0; i < uneven; i++) {
    const parents: number[] = [];
    const depths: number[] = [];
    while (parents.length < nodes) {
      const open = [-1, ...parents.keys()].filter((node) =>
        (depths[node] ?? 0) < depth && parents.filter((parent) => parent === node).length < drafts
      );
      if (open.length === 0) break;
      const parent = open[random.integer(open.length)];
      parents.push(parent);
      depths.push((depths[parent] ?? 0) + 1);
    }
    shapes.push(parents);
  }
  const seen = new Set<string>();
  return shapes.filter((shape) => shape.length > 0 && !seen.has(shape.join()) && seen.add(shape.join()));
}
