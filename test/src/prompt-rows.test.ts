// The prompt's rows: scored for who asks, and for nobody else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { builtin } from "../../plugins/builtin.ts";
import type { Candidates, Rows } from "../../src/backend.ts";
import type { Drafter } from "../../src/drafter.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";
import { Registry } from "../../src/plugins/registry.ts";
import { complete } from "../../src/round/generate.ts";
import { GREEDY } from "../../src/sampling.ts";
import { optionsOf } from "../support/options.ts";
import { TableEngine } from "../support/table-engine.ts";

const PROMPT = Array.from({ length: 100 }, (_, i) => (i * i) % 19);

/** Says nothing, and keeps what it is told of the prompt. */
class Listener implements Drafter {
  readonly name = "listener";
  readonly laws = ["point"] as const;
  readonly candidates = 3;
  readonly told = new Map<number, Candidates>();
  begin(): void {}
  observePrompt(from: number, rows: readonly Candidates[]): void {
    rows.forEach((row, i) => this.told.set(from + i, row));
  }
  draft = () => ({ tokens: new Int32Array(0), parents: new Int32Array(0), law: "point" as const, q: () => undefined });
  observe(): void {}
}

test("who asks is told what the target found likeliest after every token of the prompt but the last", async () => {
  const engine = new TableEngine({ maxRows: 16, context: 300 });
  const drafter = new Listener();
  const { tokens } = await complete(optionsOf({ engine, drafter, prompt: PROMPT, maxTokens: 5 }));
  assert.deepEqual(tokens, (await complete(optionsOf({ engine, prompt: PROMPT, maxTokens: 5 }))).tokens);
  assert.deepEqual([...drafter.told.keys()], Array.from({ length: 99 }, (_, i) => i));
  for (const [place, row] of drafter.told) {
    const logits = engine.logits(PROMPT.slice(0, place + 1));
    const ranked = Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b).slice(0, 3);
    assert.deepEqual([...row.tokens], ranked, `after token ${place}`);
  }
  // Of a conversation that goes on, only the new rows.
  const [sequence, later] = [engine.open(), new Listener()];
  await sequence.forward({ tokens: Int32Array.from(PROMPT.slice(0, 60)), score: "last" });
  sequence.keep(Int32Array.from({ length: 60 }, (_, row) => row));
  await complete(optionsOf({ engine, drafter: later, sequence, prompt: PROMPT, maxTokens: 5 }));
  assert.deepEqual([...later.told.keys()], Array.from({ length: 39 }, (_, i) => 60 + i));
  sequence.close();
});

test("where nobody asks, no row of the prompt is scored but the last of each pass", async () => {
  const seen: Rows[] = [];
  const engine = new TableEngine({ onPass: (rows) => void seen.push(rows) });
  await complete(optionsOf({ engine, prompt: PROMPT, maxTokens: 1 }));
  assert.ok(seen.length === 2 && seen[0].score === "last" && seen[0].need === "argmax");
});

test("recycling, trigram and stand know the prompt's rows from the first draft on, also inside others", async () => {
  const registry = new Registry(builtin);
  for (
    const spec of [
      "recycling?prompt",
      "trigram?prompt&searches=5000",
      "stand?prompt&shape=chain",
      "cascade:(recycling?prompt),lookup",
      "spine:(recycling?prompt)",
      "hierarchy?last=(recycling?prompt)",
      "merge:(trigram?prompt&searches=5000),lookup",
    ]
  ) {
    const engine = new TableEngine({ order: 1, vocab: 20, seed: 6 });
    const context: PluginContext = {
      target: engine,
      loadModel: () => Promise.reject(new Error("not here")),
      resolve: (kind, spec) => registry.resolve(kind, spec, context),
    };
    const drafter = await registry.resolve("drafter", spec, context);
    const said = engine.likeliest([0]);
    const prompt = [3, 0, 5, 3, 0]; // the pair 3 0 was scored before its end
    assert.ok(drafter.observePrompt !== undefined, spec);
    await complete(optionsOf({ engine, drafter, prompt, maxTokens: 0 })); // no row but the prompt's
    await drafter.begin(Int32Array.from(prompt), GREEDY);
    const chance = optionsOf({ engine }).chance;
    const tree = await drafter.draft({ nodes: 8, depth: 2 }, chance);
    assert.ok(tree.tokens.includes(said), `${spec}: ${tree.tokens.join()} without ${said}`);
  }
  const quiet = await registry.resolve(
    "drafter",
    "recycling",
    { target: new TableEngine() } as unknown as PluginContext,
  );
  assert.equal(quiet.observePrompt, undefined);
});
