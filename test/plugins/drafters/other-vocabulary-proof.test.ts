// Drafters whose model has another vocabulary: lossless by following every branch of the code that ships.
import assert from "node:assert/strict";
import { test } from "node:test";
import { omniDraftOf } from "../../../plugins/drafters/omnidraft.ts";
import { SlemDrafter } from "../../../plugins/drafters/slem.ts";
import { slrsOf } from "../../../plugins/drafters/slrs.ts";
import { TliProposer } from "../../../plugins/drafters/tli.ts";
import { block } from "../../../plugins/rules/block.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { token } from "../../../plugins/rules/token.ts";
import { traversal } from "../../../plugins/rules/traversal.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { gumbel } from "../../../plugins/shapes/gumbel.ts";
import type { Engine } from "../../../src/backend.ts";
import { FEW_KINDS, proveDrafter } from "../../../src/check/drafters.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { WrittenEngine } from "../../../src/check/written.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import type { Drafter, Proposer } from "../../../src/drafter.ts";
import { GREEDY } from "../../../src/sampling.ts";

type Make = (target: Engine, draft: Engine) => Drafter;

const chained = (proposer: Proposer) => new ProposedDrafter("chained", proposer, chain);

const DRAFTERS: Readonly<Record<string, Make>> = {
  tli: (target, draft) => chained(new TliProposer(target, draft)),
  "slrs that follows all": (target, draft) => chained(slrsOf(target, draft, { rows: 32, least: 0 })),
  "slrs that follows one path": (target, draft) => chained(slrsOf(target, draft, { rows: 1, least: 0 })),
  "slrs that follows likely paths": (target, draft) => chained(slrsOf(target, draft, { rows: 32, least: 0.3 })),
  "slrs without lookahead": (target, draft) => chained(slrsOf(target, draft, { rows: 0, least: 0 })),
  omnidraft: (target, draft) => chained(omniDraftOf(target, draft, 100, { rows: 4, least: 0 })),
  "omnidraft with a cache of one": (target, draft) => chained(omniDraftOf(target, draft, 1, { rows: 4, least: 0 })),
  slem: (target, draft) => new SlemDrafter(target, draft),
};

const KINDS = [...FEW_KINDS, "one-hot q", "steps in both", "sums off by 1e-7"];
const rules = [token, block];

for (const [name, make] of Object.entries(DRAFTERS)) {
  test(`${name} is lossless`, async () => {
    for (
      const sampling of [{ temperature: 1 }, { temperature: 0.7, topP: 0.8 }, {
        temperature: 1.5,
        repetitionPenalty: 2,
      }]
    ) {
      const reports = await proveDrafter((target, draft) => Promise.resolve(make(target, draft)), rules, {
        sampling: { ...GREEDY, ...sampling },
        kinds: sampling.temperature === 1 ? KINDS : ["mixed"],
      });
      assert.equal(reports.length, 2);
      for (const { rule, cases, worst, failure } of reports) {
        assert.equal(failure, undefined, `${rule}: ${JSON.stringify(failure)}`);
        assert.ok(cases > 6 && worst <= EXACT, `${rule}: ${cases} cases, ${worst}`);
      }
    }
  });
}

test("they are lossless in trees, where several places are asked about at once", async () => {
  for (
    const make of [
      (target: Engine, draft: Engine) => new TliProposer(target, draft),
      (target: Engine, draft: Engine) => slrsOf(target, draft, { rows: 32, least: 0 }),
    ]
  ) {
    const reports = await proveDrafter(
      (target, draft) => Promise.resolve(new ProposedDrafter("tree", make(target, draft), gumbel([2, 2]))),
      [recursive, traversal],
      { plan: { nodes: 4, depth: 2 }, kinds: ["random", "mixed"] },
    );
    assert.deepEqual(reports.map(({ rule }) => rule), ["recursive", "traversal"]);
    for (const { rule, cases, worst, failure } of reports) {
      assert.equal(failure, undefined, `${rule}: ${JSON.stringify(failure)}`);
      assert.ok(cases === 16 && worst <= EXACT, `${rule}: ${cases} cases, ${worst}`);
    }
  }
});

test("vocabularies without a token in common are refused by tli, in one line that names another way", () => {
  const models = [["a", "b", ""], ["c", "d", ""]].map((tokens) =>
    new WrittenEngine(tokens.map((token) => new TextEncoder().encode(token)), () => assert.fail())
  );
  assert.throws(() => new TliProposer(models[0], models[1]), /no token of text in common with the target/);
});

/** Draws from one proposer, and says that the first token was drawn from what another says. */
function lying(drawn: Proposer, told: Proposer): Drafter {
  const drafter = chained(drawn);
  let prompt = new Int32Array(0);
  return {
    name: "lying",
    laws: drafter.laws,
    lawsAt: (sampling) => drafter.lawsAt(sampling),
    begin(text, sampling) {
      prompt = text.slice();
      drafter.begin(text, sampling);
    },
    async draft(plan, chance) {
      const tree = await drafter.draft(plan, chance);
      await told.sync(prompt, { ...GREEDY, temperature: 1 });
      const [q] = await told.propose({ tokens: new Int32Array(0), parents: new Int32Array(0) });
      return { ...tree, q: (node) => node < 0 ? q ?? tree.q(node) : tree.q(node) };
    },
    observe() {},
  };
}

const LIES: Readonly<Record<string, Make>> = {
  "what is merged is not taken from the first token": (target, draft) =>
    lying(
      omniDraftOf(target, draft, 100, { rows: 4, least: 0 }),
      omniDraftOf(target, draft, 100, { rows: 0, least: 0 }),
    ),
  "one way to write a token is told, and all are drawn": (target, draft) =>
    lying(slrsOf(target, draft, { rows: 32, least: 0 }), slrsOf(target, draft, { rows: 0, least: 0 })),
  "tokens that the target lacks are drafted as their beginnings, and told as left out": (target, draft) =>
    lying(slrsOf(target, draft, { rows: 0, least: 0 }), omniDraftOf(target, draft, 1, { rows: 0, least: 0 })),
};

for (const [what, make] of Object.entries(LIES)) {
  test(`a drafter is refuted where ${what}`, async () => {
    const options = { kinds: ["random"], plan: { nodes: 1, depth: 1 } };
    const [report] = await proveDrafter((target, draft) => Promise.resolve(make(target, draft)), [token], options);
    assert.ok(report.failure !== undefined && report.worst > 1e-3, `${report.worst}`);
  });
}
