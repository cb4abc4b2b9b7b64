// Drafting while the target verifies: the text is what it is without, and the draft model has less left to do.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ModelProposer } from "../../../plugins/drafters/model.ts";
import { match } from "../../../plugins/rules/match.ts";
import { token } from "../../../plugins/rules/token.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import type { Capabilities, Engine } from "../../../src/backend.ts";
import type { Drafter } from "../../../src/drafter.ts";
import { complete } from "../../../src/round/generate.ts";
import { ProposedDrafter } from "../../../src/draft/proposed.ts";
import { hashed, TableEngine } from "../../support/table-engine.ts";
import { optionsOf } from "../../support/options.ts";

const SAMPLED = { temperature: 0.8, topK: 12, topP: 0.9, repetitionPenalty: 1.3, repetitionWindow: 5 };
const CONCURRENT = { concurrent: true } as const;

/** A target whose every pass takes as many looks of the drafter as `looks` says. */
function slow(seed: number, looks: () => number): TableEngine {
  const engine = new TableEngine({ seed, can: CONCURRENT });
  const open = engine.open.bind(engine);
  engine.open = () => {
    const sequence = open();
    const forward = sequence.forward.bind(sequence);
    sequence.forward = async (rows) => {
      for (let left = looks(); left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 0));
      return await forward(rows);
    };
    return sequence;
  };
  return engine;
}

const drafterOf = (draft: Engine, target: Engine) =>
  new ProposedDrafter("model", new ModelProposer(draft, target), chain);

/** A draft model that says what `seed` says in most places. */
function alike(seed: number, share: number, can: Partial<Capabilities> = {}): TableEngine {
  const draft = new TableEngine({ seed, can });
  const like = draft.logits.bind(draft);
  draft.logits = (context) => hashed(seed, ...context.slice(-3)) < share ? like(context) : like([context.length % 20]);
  return draft;
}

/** Always allows `steps` steps, whatever the clock says. */
function allowing(drafter: ProposedDrafter, steps: () => number): Drafter {
  return new Proxy(drafter, {
    get(target, name) {
      if (name === "anticipate") {
        return (tree: Parameters<typeof target.anticipate>[0]) => {
          let left = steps();
          return target.anticipate(tree, () => Promise.resolve(left-- > 0));
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("the text is the same however far the draft model gets meanwhile, for every rule and sampling", async () => {
  const settings = [{}, { sampling: SAMPLED, rule: match }, { sampling: SAMPLED, rule: token }, {
    sampling: { temperature: 1 },
    rule: token,
  }];
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(...settings),
      fc.constantFrom(0.5, 0.9, 1),
      async (seed, common, share) => {
        const engine = new TableEngine({ seed, can: CONCURRENT });
        const options = { ...common, engine, seed, controller: fixed(3) };
        const without = await complete(
          optionsOf({ ...options, drafter: drafterOf(alike(seed, share), new TableEngine()) }),
        );
        let draws = 0;
        const drafter = allowing(
          drafterOf(alike(seed, share), engine),
          () => Math.floor(hashed(seed, draws++) * 7),
        );
        const ahead = await complete(optionsOf({ ...options, drafter }));
        assert.deepEqual(ahead.tokens, without.tokens);
        assert.equal(ahead.stats.drafted, without.stats.drafted);
        assert.equal(ahead.stats.accepted, without.stats.accepted);
      },
    ),
    { numRuns: 30 },
  );
});

test("where everything is kept, the next draft is there before it is asked for, and no row runs twice", async () => {
  const engine = new TableEngine({ seed: 4, can: CONCURRENT });
  const draft = new TableEngine({ seed: 4 });
  const inner = drafterOf(draft, engine);
  let inDraft = 0;
  const always = allowing(inner, () => 99);
  const watched = new Proxy(always, {
    get(target, name) {
      if (name !== "draft") return Reflect.get(target, name);
      return async (...given: Parameters<Drafter["draft"]>) => {
        const before = draft.passes;
        const tree = await target.draft(...given);
        inDraft += draft.passes - before;
        return tree;
      };
    },
  });
  const { stats } = await complete(optionsOf({ engine, drafter: watched, controller: fixed(4), maxTokens: 50 }));
  assert.equal(stats.accepted, stats.drafted);
  assert.equal(stats.rounds, 10);
  assert.equal(inDraft, 4, "only the first draft runs passes of its own");
  assert.equal(draft.rows, 3 + 3 + 10 * 5, "after each draft its last row, the root and three of the next draft");
});

test("a pass of the target that takes its time is waited for with drafting, and errors of both come through", async () => {
  const engine = slow(4, () => 3);
  const draft = new TableEngine({ seed: 4 });
  const { tokens } = await complete(
    optionsOf({ engine, drafter: drafterOf(draft, engine), controller: fixed(4), maxTokens: 40 }),
  );
  const plain = await complete(optionsOf({ engine: new TableEngine({ seed: 4 }), maxTokens: 40 }));
  assert.deepEqual(tokens, plain.tokens);

  for (const broken of ["draft", "target"]) {
    const target = slow(4, () => 2);
    const drafter = drafterOf(new TableEngine({ seed: 4 }), target);
    drafter.anticipate = async (_, more) => {
      await more();
      if (broken === "draft") throw new Error("the draft fails");
    };
    if (broken === "target") {
      let passes = 0;
      const { logits } = target;
      target.logits = (context) => {
        if (passes++ > 20) throw new Error("the target fails");
        return logits.call(target, context);
      };
    }
    await assert.rejects(complete(optionsOf({ engine: target, drafter, controller: fixed(4) })), {
      message: `the ${broken} fails`,
    });
  }
});

test("nobody goes on beside a target that blocks, on the target's own kind of device, or with bits that vary", async () => {
  for (
    const [target, draft] of [[{}, {}], [CONCURRENT, CONCURRENT], [CONCURRENT, { exact: "none" }]] as [
      Partial<Capabilities>,
      Partial<Capabilities>,
    ][]
  ) {
    const engine = new TableEngine({ seed: 4, can: target });
    const second = new TableEngine({ seed: 4, can: draft });
    await complete(optionsOf({
      engine,
      drafter: allowing(drafterOf(second, engine), () => 99),
      controller: fixed(4),
      maxTokens: 50,
    }));
    assert.equal(second.rows, 3 + 3 + 9 * (2 + 3), "what it runs without going on");
  }
});

test("nothing is computed ahead past the draft model's context", async () => {
  const engine = new TableEngine({ seed: 4, can: CONCURRENT });
  const drafter = allowing(drafterOf(new TableEngine({ seed: 4, context: 20 }), engine), () => 99);
  const { tokens } = await complete(optionsOf({ engine, drafter, controller: fixed(4) }));
  assert.deepEqual(tokens, (await complete(optionsOf({ engine }))).tokens);
});
