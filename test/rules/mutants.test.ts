// Planted faults: rules that are wrong in the ways in which rules go wrong. The proof must refute every one of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { proveRule } from "../../src/check/prove.ts";
import { failureLines } from "../../src/check/report.ts";
import type { Chance } from "../../src/chance.ts";
import {
  dense,
  type Distribution,
  excess,
  mass,
  normalise,
  point,
  probability,
  residual,
  top,
  without,
} from "../../src/math/distribution.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { DraftLaw } from "../../src/tree.ts";
import { choose, importanceStep, planChoice } from "../../plugins/rules/importance.ts";
import { bestRho } from "../../plugins/rules/k-seq.ts";
import { drawnFrom, recursiveStep } from "../../plugins/rules/recursive.ts";
import { tokenStep } from "../../plugins/rules/token.ts";
import { traversal } from "../../plugins/rules/traversal.ts";
import { acceptance, childrenOf, pathTo, type Step, tokenLevel } from "../../plugins/rules/walk.ts";

const at = probability;
const weights = (d: Distribution, change: (value: number, token: number) => number): Distribution =>
  dense(Array.from({ length: d.vocab }, (_, token) => change(at(d, token), token)));
const orTarget = (d: Distribution, p: Distribution) => mass(d) > 0 ? normalise(d) : p;
const step = (law: DraftLaw, wrong: Step): VerificationRule => tokenLevel("mutant", [law], wrong);

/** The token step with parts replaced. */
function tokenWith(parts: {
  keep?: (p: number, q: number) => number;
  left?: (p: Distribution, q: Distribution) => Distribution;
  seen?: (p: Distribution, q: Distribution) => [Distribution, Distribution];
}): Step {
  return (siblings, chance) => {
    const [p, q] = parts.seen?.(siblings.p, siblings.q) ?? [siblings.p, siblings.q];
    const x = siblings.drafts[0];
    if (chance.flip((parts.keep ?? acceptance)(at(p, x), at(q, x)))) return x;
    return chance.pick((parts.left ?? residual)(p, q));
  };
}

/** A rule for chains, written out with its row numbers, so that they can be wrong. */
function chainRule(rowOf: (node: number, depth: number) => number, lastRow = rowOf): VerificationRule {
  return {
    name: "mutant",
    lossless: true,
    laws: ["iid"],
    verify(tree, scores, chance) {
      const row = (i: number) => normalise(scores.distribution(Math.min(Math.max(i, 0), scores.rows - 1)));
      let node = -1;
      for (let depth = 0;; depth++) {
        const child = childrenOf(tree, [node])[0];
        if (child === undefined) return { path: pathTo(tree, node), next: chance.pick(row(lastRow(node, depth))) };
        const p = row(rowOf(node, depth));
        const token = tokenStep(
          { p, q: normalise(tree.q(node)!), drawn: tree.q(node)!, drafts: [tree.tokens[child]], law: "iid" },
          chance,
        );
        if (token !== tree.tokens[child]) return { path: pathTo(tree, node), next: token };
        node = child;
      }
    },
  };
}

/** What shipped until 27 November 2026 (docs/rules.md): sums of multiples of 2^-52, wrong where they are small. */
function withoutByUnits(d: Distribution, tokens: readonly number[]): Distribution | undefined {
  const left = weights(d, (value, token) => tokens.includes(token) ? 0 : value);
  const sum = left.probabilities.reduce((sum, value) => sum + ((value + 1) - 1), 0);
  return sum > 0 ? weights(left, (value) => Math.abs(sum - 1) <= 1e-13 ? value : value / sum) : undefined;
}

const MUTANTS: Record<string, VerificationRule> = {
  "what is left of q is scaled by a sum in units of 2^-52": step("distinct", ({ p, q, drawn, drafts }, chance) => {
    let owed = p;
    for (const [i, x] of drafts.entries()) {
      const from = i === 0 ? q : withoutByUnits(drawn, drafts.slice(0, i));
      if (from === undefined) break;
      if (chance.flip(acceptance(at(owed, x), at(from, x)))) return x;
      owed = residual(owed, from);
    }
    return chance.pick(owed);
  }),
  "the rest of q is scaled by a sum in units of 2^-52": step("top-and-one", ({ p, drawn, drafts }, chance) => {
    const x = drafts[drafts.length - 1];
    const rest = withoutByUnits(drawn, drafts.slice(0, -1));
    if (rest === undefined) return chance.pick(p);
    return chance.flip(acceptance(at(p, x), at(rest, x))) ? x : chance.pick(residual(p, rest));
  }),
  "the residual is not clamped at 0 but takes the absolute value": step(
    "iid",
    tokenWith({ left: (p, q) => orTarget(weights(p, (value, t) => Math.abs(value - at(q, t))), p) }),
  ),
  "a refused draft is replaced by a draw from p": step("iid", tokenWith({ left: (p) => p })),
  "the residual is that of q": step("iid", tokenWith({ left: (p, q) => residual(q, p) })),
  "the acceptance ratio is upside down": step("iid", tokenWith({ keep: (p, q) => acceptance(q, p) })),
  "q is read one token too far": step(
    "iid",
    tokenWith({ seen: (p, q) => [p, weights(q, (_, t) => at(q, (t + 1) % q.vocab))] }),
  ),
  "the residual is misaligned on a truncated list of candidates": step(
    "iid",
    tokenWith({
      left: (p, q) => {
        const kept = top(p, Math.max(1, p.vocab - 1));
        return orTarget(weights(residual(p, q), (value, t) => kept.includes(t) ? value : 0), p);
      },
    }),
  ),
  "a temperature is applied to p and not to what the text is compared with": step(
    "iid",
    tokenWith({ seen: (p, q) => [normalise(weights(p, (value) => value ** 2)), q] }),
  ),
  "a temperature is applied to q after it was drawn from": step(
    "iid",
    tokenWith({ seen: (p, q) => [p, normalise(weights(q, (value) => Math.sqrt(value)))] }),
  ),
  "a token that neither p nor q has is kept": step("point", (siblings, chance) => {
    const x = siblings.drafts[0];
    return at(siblings.p, x) > 0 ? tokenStep(siblings, chance) : x;
  }),
  "rows that do not sum to 1 are compared as they are": {
    ...step("iid", tokenStep),
    verify(tree, scores, chance) {
      const [child] = childrenOf(tree, [-1]);
      const [p, q] = [scores.distribution(0), tree.q(-1)!];
      const x = tree.tokens[child];
      if (!chance.flip(acceptance(at(p, x), at(q, x)))) {
        return { path: new Int32Array(0), next: chance.pick(residual(p, q)) };
      }
      return { path: Int32Array.of(child), next: chance.pick(normalise(scores.distribution(child + 1))) };
    },
  },
  "the bonus token comes from the row before": chainRule((node) => node + 1, (node) => node),
  "every row is one too early": chainRule((node) => node),
  "every row is one too late": chainRule((node) => node + 2),
  "the depth is taken for the row in a tree": {
    ...chainRule((_, depth) => depth),
    verify(tree, scores, chance) {
      const child = childrenOf(tree, [-1]).at(-1)!; // the last child of the root, but the rows of the first
      const p = normalise(scores.distribution(0));
      const q = normalise(tree.q(-1)!);
      const token = tokenStep({ p, q, drawn: q, drafts: [tree.tokens[child]], law: "iid" }, chance);
      if (token !== tree.tokens[child]) return { path: new Int32Array(0), next: token };
      return { path: Int32Array.of(child), next: chance.pick(normalise(scores.distribution(1))) };
    },
  },
  "the last accepted token is left out of the path": {
    ...chainRule((node) => node + 1),
    verify(tree, scores, chance) {
      const { path, next } = chainRule((node) => node + 1).verify(tree, scores, chance);
      return { path: path.subarray(0, -1), next };
    },
  },
  "q keeps the refused token": step(
    "distinct",
    (siblings, chance) => recursiveStep({ ...siblings, law: "iid" }, chance),
  ),
  "q is not renormalised after a refusal": step("distinct", (siblings, chance) => {
    let p = siblings.p;
    let q = siblings.q;
    for (const x of siblings.drafts) {
      if (chance.flip(acceptance(at(p, x), at(q, x)))) return x;
      p = residual(p, q);
      q = weights(q, (value, t) => t === x ? 0 : value);
    }
    return chance.pick(p);
  }),
  "the second draft is judged against p instead of the residual": step("iid", (siblings, chance) => {
    for (const x of siblings.drafts) if (chance.flip(acceptance(at(siblings.p, x), at(siblings.q, x)))) return x;
    return chance.pick(residual(siblings.p, siblings.q));
  }),
  "the residual is not renormalised before the second draft": step("iid", ({ p, q, drafts }, chance) => {
    let owed = p;
    for (const x of drafts) {
      if (chance.flip(acceptance(at(owed, x), at(q, x)))) return x;
      owed = excess(owed, q);
    }
    return chance.pick(orTarget(owed, p));
  }),
  "a refused token is forbidden in the residual of independent draws": step("iid", (siblings, chance) => {
    const [x] = siblings.drafts;
    if (chance.flip(0.5 * acceptance(at(siblings.p, x), at(siblings.q, x)))) return x;
    return chance.pick(without(residual(siblings.p, siblings.q), [x]) ?? siblings.p);
  }),
  "the likeliest tokens are judged as if they were drawn": step(
    "top-and-one",
    (siblings, chance) => recursiveStep({ ...siblings, law: "distinct" }, chance),
  ),
  "the draw from the rest is judged against all of q": step("top-and-one", ({ p, q, drafts }, chance) => {
    const x = drafts[drafts.length - 1];
    return chance.flip(acceptance(at(p, x), at(q, x))) ? x : chance.pick(residual(p, q));
  }),
  "k-seq stops below its ρ": step("iid", ({ p, q, drafts }, chance) => {
    const k = drafts.length;
    const rho = 1 + (bestRho(p, q, k) - 1) / 2;
    for (const x of drafts) if (chance.flip(acceptance(at(p, x) / rho, at(q, x)))) return x;
    return chance.pick(orTarget(excess(p, weights(p, (value, t) => Math.min(value, rho * at(q, t)))), p));
  }),
  "the chosen draft is judged against q instead of its own distribution": step("iid", ({ p, q, drafts }, chance) => {
    const x = choose(planChoice(p, q, drafts.length), drafts, chance);
    return chance.flip(acceptance(at(p, x), at(q, x))) ? x : chance.pick(residual(p, q));
  }),
  "the choice is planned for one draft too many": step(
    "iid",
    (siblings, chance) => importanceStep({ ...siblings, drafts: [...siblings.drafts, siblings.drafts[0]] }, chance),
  ),
  "a block's coverage is not capped at 1": blockWith((covered) => covered),
  "a block's residual forgets how far the chain was covered": blockWith((covered) => Math.min(1, covered), 1),
  "a traversal never lowers the coverage after a refusal": {
    ...traversal,
    laws: ["iid"],
    verify(tree, scores, chance) {
      const judge = (node: number, covered: number): { end: number; p: Distribution } | undefined => {
        const children = childrenOf(tree, [node]);
        const drafts = children.map((child) => tree.tokens[child]);
        let p = normalise(scores.distribution(node + 1));
        const q = normalise(tree.q(node) ?? point(scores.vocab, 0));
        for (const [i, child] of children.entries()) {
          const from = drawnFrom({ p, q, drawn: q, drafts, law: "iid" }, i)!;
          const below = judge(child, acceptance(covered * at(p, drafts[i]), at(from, drafts[i])));
          if (below !== undefined) return below;
          p = residual(p, from, covered);
        }
        return node < 0 || chance.flip(covered) ? { end: node, p } : undefined;
      };
      const { end, p } = judge(-1, 1)!;
      return { path: pathTo(tree, end), next: chance.pick(p) };
    },
  },
  "chance comes from somewhere else": step("iid", ({ p, q, drafts }) => {
    coin = (coin * 16807) % 2147483647;
    const keep = coin / 2147483647 < acceptance(at(p, drafts[0]), at(q, drafts[0]));
    return keep ? drafts[0] : top(residual(p, q), 1)[0];
  }),
};

let coin = 1;

/** Block verification on a chain with its cap or the scale of its residual replaced. */
function blockWith(cap: (covered: number) => number, scale?: number): VerificationRule {
  return {
    name: "mutant",
    lossless: true,
    laws: ["iid"],
    verify(tree, scores, chance: Chance) {
      const chain = [-1];
      for (let child; (child = childrenOf(tree, [chain[chain.length - 1]])[0]) !== undefined;) chain.push(child);
      const p = chain.map((node) => normalise(scores.distribution(node + 1)));
      const q = chain.slice(0, -1).map((node) => normalise(tree.q(node)!));
      const covered = [1];
      q.forEach((_, i) => {
        const x = tree.tokens[chain[i + 1]];
        covered.push(cap(covered[i] * at(p[i], x) / at(q[i], x)));
      });
      const all = q.length;
      for (let i = all; i >= 0; i--) {
        const left = i < all ? mass(excess(p[i], q[i], covered[i])) : 0;
        const stands = i === all ? covered[i] : i === 0 ? 1 : left / (left + Math.max(1 - covered[i], 0)) || 0;
        if (!chance.flip(stands)) continue;
        const next = i === all ? p[i] : orTarget(excess(p[i], q[i], scale ?? covered[i]), p[i]);
        return { path: pathTo(tree, chain[i]), next: chance.pick(next) };
      }
      throw new Error("h_0 is 1");
    },
  };
}

for (const [fault, rule] of Object.entries(MUTANTS)) {
  test(`the proof catches it when ${fault}`, () => {
    const report = proveRule(rule);
    assert.equal(report.holds, false);
    const [{ failure }] = report.laws;
    assert.ok(failure, "a failing case is shown");
    assert.ok(failure.case.parents.length <= 3 && failure.case.vocab <= 3, failureLines("mutant", failure).join("\n"));
  });
}

test("a refuted rule shows a case that can be followed by hand", () => {
  const { laws: [{ failure }] } = proveRule(MUTANTS["a refused draft is replaced by a draw from p"]);
  const lines = failureLines("mutant", failure!);
  assert.match(lines[0], /not lossless for the law iid/);
  assert.ok(lines.length < 14 && lines.some((line) => /target .* mutant/.test(line)), lines.join("\n"));
});
