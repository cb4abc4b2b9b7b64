// Draft models with another tokenizer: what tli takes beside the same drafts in the target's own tokens, where 95% of the
// tokens are shared; and what each of tli, slrs, omnidraft and slem has accepted, on two small models that tell stories.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { fixed } from "../../plugins/controllers/fixed.ts";
import { ModelProposer } from "../../plugins/drafters/model.ts";
import { omniDraftOf } from "../../plugins/drafters/omnidraft.ts";
import { SlemDrafter } from "../../plugins/drafters/slem.ts";
import { slrsOf } from "../../plugins/drafters/slrs.ts";
import { TliProposer } from "../../plugins/drafters/tli.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { token } from "../../plugins/rules/token.ts";
import { chain } from "../../plugins/shapes/chain.ts";
import type { Engine, Sequence } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import { WrittenEngine } from "../../src/check/written.ts";
import { LIKELIEST, ProposedDrafter } from "../../src/draft/proposed.ts";
import type { Drafter, Proposer } from "../../src/drafter.ts";
import { argmax, dense, type Distribution } from "../../src/math/distribution.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { complete } from "../../src/round/generate.ts";
import { GREEDY, type Sampling } from "../../src/sampling.ts";
import { show, spread, table } from "../report.ts";
import { DEFAULT_MODEL, loadStories, PAST, THREADS } from "../setup.ts";
import type { Suite } from "../suite.ts";

const DRAFTED = 4;
const ROUNDS = 200;

const suite: Suite = {
  summary: "Draft models with another tokenizer: the time of tli a round, and what is accepted",
  async run() {
    const source = await openModel(DEFAULT_MODEL);
    const cacheDir = join(tmpdir(), "hunch-bench-vocabularies");
    return { report: `${await costs(source, cacheDir)}\n\n${await acceptance(cacheDir)}` };
  },
};

/** A model whose scores are there already, with the likeliest token: what is measured is everything else. */
class ReadyEngine extends WrittenEngine {
  override readonly source: ModelSource;
  readonly #likeliest: number;

  constructor(source: ModelSource, row: Distribution) {
    super([], () => row, { context: 8192 });
    this.source = source;
    this.#likeliest = argmax(row);
  }

  override open(): Sequence {
    const sequence = super.open();
    const forward = sequence.forward.bind(sequence);
    sequence.forward = async (rows) => Object.assign(await forward(rows), { argmax: () => this.#likeliest });
    return sequence;
  }
}

async function costs(source: ModelSource, cacheDir: string): Promise<string> {
  const engine = await onnxBackend.load(source, { format: "exact", strict: true, threads: THREADS, cacheDir });
  const sequence = engine.open();
  const text = Int32Array.from({ length: PAST }, (_, i) => (i * 7919 + 13) % source.spec.vocab);
  await sequence.forward({ tokens: text, score: "last" });
  sequence.keep(Int32Array.from(text.keys()));
  const pass: number[] = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await sequence.forward({ tokens: Int32Array.of(1), need: "argmax" });
    pass.push(performance.now() - start);
  }
  engine.close();

  const { vocab } = source.spec;
  const weights = Array.from({ length: vocab }, (_, token) => (1 + token) ** -2);
  const row = dense(weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0)));
  const target = new ReadyEngine(source, row);
  const start = performance.now();
  const tli = new TliProposer(target, new ReadyEngine(withoutSome(source), row));
  const making = performance.now() - start;
  const model = new ModelProposer(new ReadyEngine(source, row));
  const rows: string[][] = [];
  for (
    const [name, sampling] of Object.entries({
      "greedy": GREEDY,
      "temperature 1, top-k 40": { ...GREEDY, temperature: 1, topK: 40 },
      "temperature 1, top-p 0.9": { ...GREEDY, temperature: 1, topP: 0.9 },
      "temperature 1": { ...GREEDY, temperature: 1 },
    })
  ) {
    const [own, other] = [await rounds(model, source, sampling), await rounds(tli, source, sampling)];
    const more = (spread(other).median - spread(own).median) / 1000;
    rows.push([name, show(spread(own), 0), show(spread(other), 0), (100 * more / spread(pass).median).toFixed(1)]);
  }
  const head = ["sampling", "same tokens, µs", "tli, µs", "more, % of a plain pass"];
  return [
    `A round of ${DRAFTED} drafted tokens without the draft model's passes, vocabulary ${vocab}, 5% not shared. A plain`,
    `pass of the default model takes ${show(spread(pass))} ms. The table of shared tokens is made in ${
      making.toFixed(0)
    } ms.`,
    "",
    table(head, rows),
  ].join("\n");
}

/** Microseconds of each round. */
async function rounds(proposer: Proposer, { tokenizer }: ModelSource, sampling: Sampling): Promise<number[]> {
  const story = "The river rises in the hills above the town. In spring it floods the meadows, and people move away. ";
  const text = tokenizer.encode(story.repeat(20)).subarray(0, PAST);
  const times: number[] = [];
  for (let round = -50; round < ROUNDS; round++) { // the first ones warm up
    const chance = sampling.temperature === 0 ? LIKELIEST : new SeededChance(round);
    const start = performance.now();
    await proposer.sync(text.subarray(0, text.length - 50 + (round + 50) % 50), sampling);
    await chain.grow(proposer, { nodes: DRAFTED, depth: DRAFTED }, chance);
    if (round >= 0) times.push(1000 * (performance.now() - start));
  }
  return times;
}

/** The same model, but every twentieth token stands for bytes that no token of the target has. */
function withoutSome(source: ModelSource): ModelSource {
  const { tokenizer } = source;
  const tokens = Object.create(tokenizer, {
    bytes: {
      value: (token: number) =>
        token > 300 && token % 20 === 0 ? new TextEncoder().encode(`\u{10fffd}${token}`) : tokenizer.bytes(token),
    },
    encode: { value: tokenizer.encode.bind(tokenizer) },
    name: { value: tokenizer.name.bind(tokenizer) },
  });
  return Object.create(source, { tokenizer: { value: tokens } });
}

async function acceptance(cacheDir: string): Promise<string> {
  const load = (file: string) => loadStories(file, cacheDir);
  const engine = await load("stories260K.bin");
  const chained = (name: string, proposer: Proposer) => new ProposedDrafter(name, proposer, chain);
  const [SAME, OTHER] = ["draft41K-tok512.bin", "draft41K-tok495-f16.gguf"];
  const drafters: [string, string, (draft: Engine) => Drafter][] = [
    ["model", SAME, (draft) => chained("model", new ModelProposer(draft))],
    ["tli", OTHER, (draft) => chained("tli", new TliProposer(engine, draft))],
    ["slrs", OTHER, (draft) => chained("slrs", slrsOf(engine, draft, { rows: 4, least: 0.02 }))],
    ["omnidraft", OTHER, (draft) => chained("omnidraft", omniDraftOf(engine, draft, 10_000, { rows: 4, least: 0.02 }))],
    ["slem", OTHER, (draft) => new SlemDrafter(engine, draft)],
  ];
  const rows: string[][] = [];
  for (const [name, file, make] of drafters) {
    const drafter = make(await load(file));
    const perPass = [];
    for (const [rule, temperature] of [[greedy, 0], [token, 0.6], [token, 1]] as const) {
      let [tokens, passes] = [0, 0];
      for (let story = 0; story < 40; story++) {
        const { stats } = await complete({
          engine,
          prompt: engine.source.tokenizer.encode(BEGINNINGS[story % BEGINNINGS.length], { begin: true }),
          drafter,
          rule,
          controller: fixed(DRAFTED),
          sampling: { ...GREEDY, temperature },
          chance: new SeededChance(story),
          maxTokens: 64,
        });
        tokens += stats.tokens;
        passes += stats.passes;
      }
      perPass.push((tokens / passes).toFixed(2));
    }
    rows.push([name, file, ...perPass]);
    drafter.close?.();
  }
  engine.close();
  return [
    `Tokens per pass of stories260K, chains of ${DRAFTED}, 40 stories of 64 tokens; the second file lacks 17 of 512 tokens.`,
    "",
    table(["drafter", "draft model", "greedy", "`token`, temperature 0.6", "temperature 1"], rows),
  ].join("\n");
}

const BEGINNINGS = ["Once upon a time", "Lily and Tom", "One day, a dog", "The sun was", "Mom said", "There was a big"];

export default suite;
