// What papers prove about how much a rule keeps, and second formulations of the rules.
import assert from "node:assert/strict";
import { test } from "node:test";
import { optimalAcceptance } from "../../src/check/bound.ts";
import { type Case, contextCount, contextTokens } from "../../src/check/case.ts";
import { enumerateRule } from "../../src/check/enumerate.ts";
import { KINDS, makeCase, Random } from "../../src/check/generate-cases.ts";
import { proveShape } from "../../src/check/shapes.ts";
import { loadTransport } from "../../src/math/transport.ts";
import { SeededChance } from "../../src/chance.ts";
import { dense, type Distribution, normalise, overlap, probability } from "../../src/math/distribution.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { DraftLaw } from "../../src/tree.ts";
import { block } from "../../plugins/rules/block.ts";
import { importance, planChoice } from "../../plugins/rules/importance.ts";
import { kSeq } from "../../plugins/rules/k-seq.ts";
import { optimalTransport } from "../../plugins/rules/optimal-transport.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { specHub } from "../../plugins/rules/spechub.ts";
import { token } from "../../plugins/rules/token.ts";
import { topAndOne } from "../../plugins/rules/top-and-one.ts";
import { traversal } from "../../plugins/rules/traversal.ts";
import { gumbel } from "../../plugins/shapes/gumbel.ts";
import { iid } from "../../plugins/shapes/iid.ts";
import { Sequoia } from "../../plugins/shapes/sequoia.ts";
import { TOKEN_LEVEL } from "./rules.ts";

const kinds = [...Object.keys(KINDS), "mixed"];
const chain = (depth: number) => Array.from({ length: depth }, (_, i) => i - 1);
const star = (drafts: number) => new Array<number>(drafts).fill(-1);

function* cases(law: DraftLaw, vocab: number, parents: number[], rounds: number, seed: string): Generator<Case> {
  const random = new Random(new SeededChance(seed));
  for (let i = 0; i < rounds; i++) {
    for (const kind of kinds) yield makeCase(kind, law, vocab, parents, random);
  }
}

const first = (of: Case, rule: VerificationRule) => enumerateRule(of, rule).first;
const bound = (of: Case, n: number) => optimalAcceptance(dense(of.p[0]), dense(of.q[0]), of.law, n)!;
const near = (a: number, b: number, what: string, by = 1e-9) => assert.ok(Math.abs(a - b) < by, `${what}: ${a}, ${b}`);

test("block keeps at least as much as token on every chain", () => {
  for (const of of cases("iid", 3, chain(3), 2, "block")) {
    const [more, less] = [block, token].map((rule) => enumerateRule(of, rule).accepted);
    assert.ok(more >= less - 1e-12, `${of.kind}: block ${more}, token ${less}`);
  }
});

test("block on a chain keeps what its closed form says, and traversal the same", () => {
  for (const of of cases("iid", 3, chain(3), 1, "closed")) {
    const expected = blockAccepted(of);
    near(enumerateRule(of, block).accepted, expected, `block, ${of.kind}`);
    near(enumerateRule(of, traversal).accepted, expected, `traversal, ${of.kind}`);
  }
});

/** A second formulation of block verification: P(τ ≥ i given x_1 … x_i) = b_i, so E[τ] = Σ P(x_1 … x_i)·b_i. */
function blockAccepted(of: Case): number {
  const [p, q] = [of.p, of.q].map((rows) => rows.map((row) => normalise(dense(row))));
  const depth = 3;
  let sum = 0;
  for (let context = 1; context < contextCount(of.vocab, depth); context++) {
    let [at, drawn, covered] = [0, 1, 1];
    for (const x of contextTokens(context, of.vocab)) {
      drawn *= probability(q[at], x);
      // Denormal q make the quotient overflow, where the cap is 1 anyway.
      covered = Math.min(1, covered * probability(p[at], x) / probability(q[at], x) || 0);
      at = at * of.vocab + x + 1;
    }
    if (drawn > 0) sum += drawn * covered;
  }
  return sum;
}

test("one draft is kept with probability Σ min(p, q) by every token-level rule", () => {
  for (const of of cases("iid", 4, star(1), 2, "one")) {
    const best = overlap(normalise(dense(of.p[0])), normalise(dense(of.q[0])));
    for (const rule of [token, recursive, kSeq, importance, block, traversal]) near(first(of, rule), best, of.kind);
  }
});

test("recursive keeps 1 − Π(1 − Σ min(p_i, q)) of independent drafts", () => {
  for (const of of cases("iid", 4, star(3), 1, "recursive")) {
    let p: Distribution = normalise(dense(of.p[0]));
    const q = normalise(dense(of.q[0]));
    let refused = 1;
    for (let i = 0; i < 3; i++) {
      refused *= 1 - overlap(p, q);
      const left = Array.from({ length: 4 }, (_, t) => Math.max(probability(p, t) - probability(q, t), 0));
      if (refused < 1e-12) break;
      p = normalise(dense(left));
    }
    near(first(of, recursive), 1 - refused, of.kind);
  }
});

test("k-seq is within 1 − 1/e of the bound, and never above it", () => {
  for (const n of [2, 3]) {
    for (const of of cases("iid", 3, star(n), 2, "k-seq")) {
      const [kept, best] = [first(of, kSeq), bound(of, n)];
      assert.ok(kept >= (1 - 1 / Math.E) * best - 1e-12 && kept <= best + 1e-12, `${of.kind}: ${kept} of ${best}`);
    }
  }
});

test("top-and-one and spechub reach the bound of their law", () => {
  for (const of of cases("top-and-one", 4, star(2), 2, "top")) {
    near(first(of, topAndOne), bound(of, 2), of.kind);
    near(first(of, specHub), bound(of, 2), of.kind);
  }
  for (const of of cases("top-and-one", 4, star(3), 2, "top")) near(first(of, topAndOne), bound(of, 3), of.kind);
});

test("importance equals the closed form for two drafts, and comes near it for more", () => {
  for (const of of cases("iid", 4, star(2), 3, "importance")) near(first(of, importance), bound(of, 2), of.kind);
  const random = new Random(new SeededChance("importance"));
  for (const vocab of [3, 8, 30]) {
    for (const [n, most] of [[2, 1e-9], [3, 0.01], [4, 0.01], [8, 0.02]]) {
      let gap = 0;
      for (const kind of Object.keys(KINDS)) {
        const [p, q] = KINDS[kind](vocab, random).map((values) => normalise(dense(values)));
        const lost = optimalAcceptance(p, q, "iid", n)! - overlap(p, planChoice(p, q, n).chosen);
        assert.ok(lost > -1e-9, `${kind} ${n}: above the bound by ${-lost}`);
        gap += lost / Object.keys(KINDS).length;
      }
      assert.ok(gap < most, `vocabulary ${vocab}, ${n} drafts: ${gap} below the bound`);
    }
  }
});

test("no rule keeps more of one place than the bound", () => {
  for (
    const [law, rules] of [
      ["iid", [token, recursive, kSeq, importance, traversal]],
      ["distinct", [token, recursive, traversal]],
      ["top-and-one", [recursive, topAndOne, specHub, traversal]],
    ] as const
  ) {
    for (const of of cases(law, 4, star(2), 1, "bound")) {
      for (const rule of rules) {
        const kept = first(of, rule);
        assert.ok(kept <= bound(of, 2) + 1e-9, `${rule.name} ${law} ${of.kind}: ${kept} above ${bound(of, 2)}`);
      }
    }
  }
});

test("optimal-transport reaches the bound of one place, whichever solution it takes", async () => {
  const rule = optimalTransport(await loadTransport());
  for (const law of ["iid", "distinct", "top-and-one"] as const) {
    for (const of of cases(law, 4, star(2), 1, "transport")) near(first(of, rule), bound(of, 2), `${law} ${of.kind}`);
    for (const of of cases(law, 3, star(3), 1, "transport")) near(first(of, rule), bound(of, 3), `${law} ${of.kind}`);
  }
});

test("on trees the optimal rules of one place keep no less than those that are not", async () => {
  const transport = optimalTransport(await loadTransport());
  for (const shape of [gumbel([3, 2, 1]), new Sequoia(() => NaN, 6), iid(4)]) {
    const kept = async (rule: VerificationRule) => (await proveShape(shape, rule, { seed: "trees" })).accepted;
    const least = Math.max(await kept(recursive), await kept(token));
    for (const rule of shape.law === "iid" ? [transport, importance] : [transport]) {
      const accepted = await kept(rule);
      assert.ok(accepted >= least, `${rule.name} on ${shape.name} keeps ${accepted}, others ${least}`);
    }
  }
});

test("what hangs below the repeat of a draft counts as what hangs below the draft", async () => {
  const likely = [0, 1, 0];
  const rules = [...TOKEN_LEVEL, block, traversal, optimalTransport(await loadTransport())];
  for (const rule of rules.filter(({ laws }) => laws.includes("iid"))) {
    const kept = (parents: number[]) => {
      const rows = new Array(contextCount(3, 3)).fill(likely);
      return enumerateRule({ kind: "", law: "iid", vocab: 3, parents, p: rows, q: rows, sparse: false }, rule).accepted;
    };
    assert.equal(kept([-1, -1, 1, 2]), 3, rule.name); // root → repeat → two more
    assert.equal(kept([-1, -1, 0, 1, 3]), 3, rule.name); // a repeat below a repeat
  }
});

test("traversal keeps on average more than recursive on trees drawn without replacement", () => {
  let [traversed, walked] = [0, 0];
  for (const of of cases("distinct", 3, [-1, -1, 0, 0, 1], 2, "trees")) {
    traversed += enumerateRule(of, traversal).accepted;
    walked += enumerateRule(of, recursive).accepted;
  }
  assert.ok(traversed > walked, `traversal ${traversed}, recursive ${walked}`);
});
