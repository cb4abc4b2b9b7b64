// The bound by sorted prefix, against the linear programme and against counting.
import assert from "node:assert/strict";
import { test } from "node:test";
import { optimalAcceptance } from "../../src/check/bound.ts";
import { KINDS, Random } from "../../src/check/generate-cases.ts";
import { draftSets, loadTransport, type TransportLaw } from "../../src/math/transport.ts";
import { allDrawnWithin } from "../../src/check/without-replacement.ts";
import { SeededChance } from "../../src/chance.ts";
import { dense, mass, normalise } from "../../src/math/distribution.ts";

test("the bound equals the linear programme for every law and two or three drafts", async () => {
  const solve = await loadTransport();
  const random = new Random(new SeededChance("bound"));
  for (const kind of Object.keys(KINDS)) {
    for (const vocab of [2, 3, 6]) {
      const [p, q] = KINDS[kind](vocab, random).map((values) => normalise(dense(values)));
      for (const law of ["iid", "distinct", "top-and-one"] satisfies TransportLaw[]) {
        for (const n of [1, 2, 3]) {
          const bound = optimalAcceptance(p, q, law, n)!;
          const { kept } = solve(p, draftSets(q, law, n)!);
          assert.ok(Math.abs(bound - kept) < 1e-7, `${kind} ${law} ${n}: ${bound} by prefix, ${kept} by programme`);
        }
      }
    }
  }
});

test("the mean bounds are those of the tables measured before: order and gaps of 300 random pairs", () => {
  const random = new Random(new SeededChance("facts"));
  const means: Record<string, number> = {};
  for (let i = 0; i < 300; i++) {
    const log = Array.from({ length: 8 }, () => 2 * random.normal());
    const p = normalise(dense(log.map(Math.exp)));
    const q = normalise(dense(log.map((l) => Math.exp(l + random.normal()))));
    for (const [law, n] of [["iid", 1], ["iid", 2], ["top-and-one", 2], ["distinct", 2]] as const) {
      means[`${law} ${n}`] = (means[`${law} ${n}`] ?? 0) + optimalAcceptance(p, q, law, n)! / 300;
    }
  }
  const expected = { "iid 1": 0.751, "iid 2": 0.879, "top-and-one 2": 0.927, "distinct 2": 0.947 };
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Math.abs(means[key] - value) < 0.02, `${key}: ${means[key]} here, ${value} there`);
  }
});

test("draws without replacement stay within a set as often as counting says", () => {
  const random = new Random(new SeededChance("within"));
  for (const kind of ["random", "unrelated", "ties", "one-hot p"]) {
    for (const vocab of [4, 7]) {
      const q = normalise(dense(KINDS[kind](vocab, random)[1].map((value) => value + 1e-9)));
      for (const n of [1, 2, 3, 4]) {
        const within = allDrawnWithin(q.probabilities, n);
        const sets = draftSets(q, "distinct", n)!;
        for (let k = 1; k <= vocab; k++) {
          const counted = mass(dense(
            sets.filter(({ tokens }) => tokens.length === n && tokens.every((token) => token < k))
              .map(({ probability }) => probability),
          ));
          assert.ok(Math.abs(within(k) - counted) < 1e-12, `${kind} ${vocab} ${n} ${k}: ${within(k)} ${counted}`);
        }
      }
    }
  }
});

test("a vocabulary of 200,000 is handled, and equal ratios make no difference", () => {
  const random = new Random(new SeededChance("large"));
  const vocab = 200_000;
  const base = Float64Array.from({ length: vocab }, (_, i) => 1 / (i + 1));
  const p = normalise(dense(base));
  const q = normalise(dense(base.map((value) => value * (0.5 + random.uniform()))));
  assert.ok(Math.abs(optimalAcceptance(p, p, "iid", 4)! - 1) < 1e-9);
  const one = optimalAcceptance(p, q, "iid", 1)!;
  const two = optimalAcceptance(p, q, "iid", 2)!;
  const distinct = optimalAcceptance(p, q, "distinct", 2)!;
  assert.ok(one < two && two < distinct && distinct <= 1, `${one} ${two} ${distinct}`);
});
