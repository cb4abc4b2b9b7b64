// An engine's verdicts on scores of its own, held against the rules in TypeScript on the same scores.
import assert from "node:assert/strict";
import type { Engine } from "../../../src/backend.ts";
import { SeededChance } from "../../../src/chance.ts";
import { requestVerdict } from "../../../src/round/request-verdict.ts";
import { dense } from "../../../src/math/distribution.ts";
import type { VerificationRule } from "../../../src/rule.ts";
import { GREEDY } from "../../../src/sampling.ts";
import { sampledPass } from "../../../src/round/sampled-scores.ts";
import { type DraftLaw, type DraftTree, rowParents } from "../../../src/tree.ts";

const EVEN = dense(new Float64Array(1000).fill(0.001));

/** `draft` gives some tree of a law. Equal verdicts, and as many numbers taken from the chance. */
export async function expectOwnVerdicts(
  engine: Engine,
  rules: readonly VerificationRule[],
  draft: (law: DraftLaw) => DraftTree,
  seeds = 20,
): Promise<void> {
  const root = Int32Array.of(3);
  for (const rule of rules) {
    assert.ok(rule.device !== undefined && engine.can.deviceRules.includes(rule.device.name), rule.name);
    for (const law of rule.laws) {
      const tree = draft(law);
      const rows = {
        tokens: Int32Array.of(...root, ...tree.tokens),
        parents: rowParents(tree),
      };
      const sequence = engine.open();
      const sampling = { ...GREEDY, temperature: rule.greedy ? 0 : 1.3 };
      for (let seed = 0; seed < seeds; seed++) {
        const [own, others] = [new SeededChance(seed), new SeededChance(seed)];
        const verify = requestVerdict(rule, tree, sampling, engine.can, own)!;
        const { verified } = await sampledPass(sequence, rows, sampling, root, tree, { verify });
        const verdict = verified?.verdict;
        own.spend(verified?.used ?? 0);
        const scores = await sampledPass(sequence, rows, sampling, root, tree);
        assert.deepEqual(verdict, rule.verify(tree, scores, others), `${rule.name} on ${law}, seed ${seed}`);
        assert.equal(own.pick(EVEN), others.pick(EVEN), "both took as many numbers");
      }
      sequence.close();
    }
  }
}
