// Drafters that look into the target: what they ask for reaches them, inside others too, and what they leave is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sequence, Tap } from "../../src/backend.ts";
import type { Round, States } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { complete } from "../../src/round/generate.ts";
import { chainTree, EMPTY_TREE } from "../../src/tree.ts";
import { contextOf, storyEngine } from "../support/inside.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

const engine = await storyEngine();
const PROMPT = engine.source.tokenizer.encode("Once upon a time", { begin: true });

/** Drafts nothing, and keeps what it is given. */
class Prober implements Drafter {
  readonly name = "prober";
  readonly laws = ["point"] as const;
  readonly taps: readonly Tap[] = [2, "head"];
  target: Sequence | undefined;
  readonly prompts: { from: number; states: States }[] = [];
  readonly rounds: Round[] = [];
  begin(): void {}
  attach(target: Sequence): void {
    this.target = target;
  }
  observePrompt(from: number, _: unknown, states: States): void {
    this.prompts.push({ from, states });
  }
  draft = () => EMPTY_TREE;
  after = () => EMPTY_TREE;
  observe(round: Round): void {
    this.rounds.push(round);
  }
}

for (
  const spec of [
    "prober",
    "cascade:lookup,prober",
    "cascade:prober,lookup",
    "merge:lookup,prober",
    "hierarchy?last=prober",
    "graft:prober",
    "graft:successors?retrieval=prober",
    "spine:prober",
    "rasd:prober?retrieval=lookup",
    "toolspec?fields=prober",
    "cascade:(merge:lookup,prober),suffix",
  ]
) {
  test(`${spec}: the sequence and the hidden states reach who asks for them`, async () => {
    const prober = new Prober();
    const plugin = definePlugin({ kind: "drafter", name: "prober", summary: "for this test", create: () => prober });
    const drafter = await contextOf(engine, [plugin]).resolve("drafter", spec);
    const sequence = engine.open();
    const { tokens } = await complete(optionsOf({ engine, drafter, prompt: PROMPT, sequence, maxTokens: 8 }));
    assert.equal(prober.target, sequence);
    // What a pass over all of the text says.
    const text = Int32Array.of(...PROMPT, ...tokens);
    const whole = await engine.open().forward({ tokens: text, taps: prober.taps });
    const { width } = engine.source.spec;
    const row = (tap: Tap, at: number) => Float32Array.from(whole.states!(tap)).subarray(at * width, (at + 1) * width);
    const [{ from, states }] = prober.prompts;
    assert.equal(from, 0);
    for (const tap of prober.taps) {
      const told = states.get(tap)!;
      assert.equal(told.length, (PROMPT.length - 1) * width, "all of the prompt but its last token");
      for (let at = 0; at < PROMPT.length - 1; at++) {
        assert.deepEqual(
          told.subarray(at * width, (at + 1) * width),
          row(tap, at),
          `${tap} of the prompt's token ${at}`,
        );
      }
      let at = PROMPT.length - 1;
      for (const { states, committed, verdict, tree } of prober.rounds) {
        const told = states!.get(tap)!;
        assert.equal(told.length, (tree.tokens.length + 1) * width);
        const rows = [0, ...Array.from(verdict.path, (node) => node + 1)];
        rows.slice(0, committed.length).forEach((of, i) =>
          assert.deepEqual(told.subarray(of * width, (of + 1) * width), row(tap, at + i), `${tap} of token ${at + i}`)
        );
        at += committed.length;
      }
      assert.equal(at, text.length - 1);
    }
  });
}

test("a drafter that leaves the target's sequence longer than it was is told so", async () => {
  for (const by of [1, -1]) {
    let target: Sequence;
    const careless: Drafter = {
      name: "careless",
      laws: ["point"],
      begin() {},
      attach: (sequence) => void (target = sequence),
      async draft() {
        if (by < 0) target.rewind(target.length - 1);
        else {
          await target.forward({ tokens: Int32Array.of(5) });
          target.keep(Int32Array.of(0));
        }
        return chainTree(Int32Array.of(1));
      },
      observe() {},
    };
    await assert.rejects(complete(optionsOf({ engine: new TableEngine(), drafter: careless })), {
      message: `the drafter careless left the target's sequence ${2 + by} tokens long; it had 2`,
      hint: "the plugin breaks its contract",
    });
  }
});

test("hidden states of an engine that gives none are refused in one line", async () => {
  await assert.rejects(complete(optionsOf({ engine: new TableEngine(), drafter: new Prober() })), {
    kind: "unavailable",
    message: "table gives no hidden states to prober",
  });
});
