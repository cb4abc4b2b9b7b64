// superposed: against a plain program without a cache, beside plain decoding, and judged by rules.
import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceBackend } from "../../../kernels/reference/backend.ts";
import { fixed } from "../../../plugins/controllers/fixed.ts";
import superposedPlugin, { SuperposedDrafter } from "../../../plugins/drafters/superposed.ts";
import { match } from "../../../plugins/rules/match.ts";
import { recursive } from "../../../plugins/rules/recursive.ts";
import { traversal } from "../../../plugins/rules/traversal.ts";
import type { Engine } from "../../../src/backend.ts";
import { proveDrafter } from "../../../src/check/drafters.ts";
import { EXACT } from "../../../src/check/prove.ts";
import { refuseOtherVocabulary } from "../../../src/draft/vocabulary.ts";
import { HunchError } from "../../../src/errors.ts";
import type { PluginContext } from "../../../src/plugins/plugin.ts";
import { openModel } from "../../../src/model/open.ts";
import { complete } from "../../../src/round/generate.ts";
import { fixture } from "../../kernels/support/golden.ts";
import { optionsOf } from "../../support/options.ts";
import { paths } from "../../support/rounds.ts";
import { TableEngine } from "../../support/table-engine.ts";

const load = async (file: string) =>
  await referenceBackend.load(await openModel(fixture(`stories260k/${file}`)), {
    format: "float32",
    strict: true,
    cacheDir: "",
  });
const OPTIONS = { drafts: 3, alpha: 0.4, temperature: 0.5 };

/** The likeliest drafts, written down anew: every step computes everything from the beginning. */
async function plainly(engine: Engine, text: readonly number[], nodes: number, depth: number): Promise<string[]> {
  const { drafts: k, alpha, temperature } = OPTIONS;
  const { width, vocab } = engine.source.spec;
  const embed = (token: number) => engine.source.tensor("embed.weight").floats(token, token + 1);
  const ngram = (context: readonly number[], next: number, own: number) => {
    let [sum, left] = [0, 1];
    [0.01, 0.04, 0.15, 0.18, 0.12].forEach((weight, i) => {
      const end = context.slice(-i - 1);
      let [seen, right] = [0, 0];
      for (let at = i + 1; at < text.length && end.length === i + 1; at++) {
        if (!end.every((token, j) => text[at - i - 1 + j] === token)) continue;
        seen++;
        if (text[at] === next) right++;
      }
      if (seen === 0) return;
      left -= weight;
      sum += weight * right / seen;
    });
    return sum + left * own;
  };
  let alive = [{ path: [] as number[], p: 1 }];
  const all: { path: number[]; p: number }[] = [];
  const fed = text.map((token) => [...embed(token)]);
  for (let step = 0; step < depth; step++) {
    const sequence = engine.open();
    const { tokens, probabilities } = (await sequence.forward({
      tokens: new Int32Array(fed.length),
      embeddings: Float32Array.from(fed.flat()),
      score: "last",
      temperature,
    })).top(0, Math.min(3 * k, vocab));
    sequence.close();
    alive = alive.flatMap(({ path, p }) =>
      Array.from(tokens, (token, i) => {
        const own = ngram([...text, ...path], token, probabilities[i]);
        return { path: [...path, token], p: p * probabilities[i] ** (1 - alpha) * own ** alpha };
      })
    ).sort((a, b) => b.p - a.p).slice(0, k);
    all.push(...alive);
    const whole = alive.reduce((sum, { p }) => sum + p, 0);
    const row = new Array<number>(width).fill(0);
    for (const { path, p } of alive) embed(path[step]).forEach((value, i) => row[i] += p / whole * value);
    fed.push(row);
  }
  return all.sort((a, b) => b.p - a.p).slice(0, nodes).map(({ path }) => path.join(" "));
}

test("the tree is that of a plain program, by the target and by a draft model, in text after text", async () => {
  const target = await load("stories260K-f32.gguf");
  const draft = await load("draft41K-tok512.bin");
  for (const model of [target, draft]) {
    const drafter = new SuperposedDrafter(model, target, OPTIONS);
    const text = [...target.source.tokenizer.encode("Tom saw a cat. Tom saw a dog. Tom saw", { begin: true })];
    for (const length of [6, 12, text.length]) {
      const some = text.slice(0, length);
      const sequence = target.open();
      await sequence.forward({ tokens: Int32Array.from(some.slice(0, -1)) });
      sequence.keep(Int32Array.from({ length: length - 1 }, (_, row) => row));
      drafter.begin(Int32Array.from(some));
      drafter.attach(sequence);
      const tree = await drafter.draft({ nodes: 9, depth: 4 });
      assert.equal(sequence.length, length - 1);
      assert.deepEqual(paths(tree).map((path) => path.join(" ")), await plainly(model, some, 9, 4));
      sequence.close();
    }
  }
  target.close();
  draft.close();
});

test("greedy and by seed the text is that of plain decoding, whoever drafts, and drafts stand", async () => {
  const target = await load("stories260K-f32.gguf");
  const options = { drafts: 3, alpha: 0.54, temperature: 0.06 };
  for (const model of [target, await load("draft41K-tok512.bin")]) {
    const drafter = new SuperposedDrafter(model, target, options);
    for (const beginning of ["Once upon a time", "Lily and Tom"]) {
      for (const given of [{}, { sampling: { temperature: 0.8 }, rule: match }]) {
        const prompt = target.source.tokenizer.encode(beginning, { begin: true });
        const asked = () => optionsOf({ engine: target, prompt, maxTokens: 20, ...given });
        const plain = await complete(asked());
        const drafted = await complete({ ...asked(), drafter, controller: fixed(9, 4) });
        assert.deepEqual(drafted.tokens, plain.tokens);
        assert.ok(drafted.stats.accepted > 3, `${drafted.stats.accepted} accepted`);
      }
    }
    drafter.close();
  }
});

test("rules that are lossless keep the target's distribution with its drafts", async () => {
  const reports = await proveDrafter(
    (target, draft) => {
      refuseOtherVocabulary(target.source, draft.source);
      return Promise.resolve(new SuperposedDrafter(draft, target, OPTIONS));
    },
    [recursive, traversal],
    { plan: { nodes: 3, depth: 2 } },
  );
  assert.equal(reports.length, 2);
  for (const { rule, cases, worst, accepted } of reports) {
    assert.ok(cases > 8 && worst <= EXACT && accepted > 0.2, `${rule}: ${cases} cases, ${worst}, ${accepted}`);
  }
});

test("an engine without rows of embeddings is refused by name", async () => {
  const context = { target: new TableEngine() } as unknown as PluginContext;
  await assert.rejects(
    async () => await superposedPlugin.create({ drafts: 3, alpha: 0.5, temperature: 1 }, "", context),
    (error) => error instanceof HunchError && error.line.includes("table takes no rows of embeddings"),
  );
});
