// Is it the same text? Every drafter, and every shape, against plain decoding, token for token, by `hunch bench`. Counts no
// time: a busy machine changes nothing. What was compared is kept in bench/out/equal-…; the same command goes on there.
//
//   npm run bench -- equal                                 200 beginnings of stories, stories260K, greedy and by seed
//   npm run bench -- equal --model=default --format=int8   200 beginnings of its data sets, the default model, greedy
//   npm run bench -- equal --drafters='auto,(merge:lookup,recycling)' --prompts=20 --tokens=24 --temperature=0,0.8
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DATA_SETS, tasksOf } from "../../cli/bench/data.ts";
import type { Measured, Results } from "../../cli/bench/results.ts";
import { PLAIN } from "../../cli/bench/settings.ts";
import { writeRandomModel } from "../../cli/model/random.ts";
import type { RealShape } from "../../cli/model/real-shapes.ts";
import { builtin } from "../../plugins/builtin.ts";
import { splitOutside, unwrap } from "../../src/plugins/method-spec.ts";
import { SELF } from "../drafters.ts";
import { buildStore, hunchBench, OUT, writeRequests } from "../hunch-bench.ts";
import { table } from "../report.ts";
import { DEFAULT_MODEL, STORIES } from "../setup.ts";
import { count, option, type Suite } from "../suite.ts";

/** Controllers that draft trees in every round, so that there is something to go wrong. */
const ALWAYS = { stories: "fixed?nodes=12&depth=5", default: "fixed?nodes=8&depth=4" };
/** Kinds of work in the data sets. */
const KINDS = 7;
/** Characters of a data set's prompt that the default model gets: short ones, so that many are compared. */
const LONGEST = 600;
/** A model with the default model's tokenizer whose every guess is wrong: a few megabytes, made where it is used. */
const NOISE = join(OUT, "noise.gguf");
const NOISE_SHAPE: RealShape = {
  ...{ architecture: "llama", width: 64, layers: 1, heads: 2, kvHeads: 1, headSize: 32, feedForward: 64 },
  ...{ vocab: 49152, tied: true, context: 2048, ropeBase: 10000, epsilon: 1e-5 },
};

const withoutModel = (store: string) => [
  ...[
    "lookup",
    "lookup?branches=3",
    "suffix",
    "recycling",
    "pool?size=2",
    "trigram",
    "stand",
    "lookahead",
    "toolspec",
    "dresd",
  ],
  ...["hierarchy?length=2&last=recycling", "cascade:lookup,recycling", "merge:lookup,recycling,suffix", "auto"],
  ...["spine:recycling", "spine:successors", "graft:trigram", "graft:successors"],
  ...[`rest:${store}`, `rasd:recycling?retrieval=(rest:${store})`],
];
/** Shapes that need a file or a rule of their own are left out. */
const SHAPES = builtin.filter(({ kind, name }) => kind === "shape" && name !== "static" && name !== "target-init");
const SMALL = `${STORIES}draft41K-tok512.bin`;
const OTHER_VOCABULARY = `${STORIES}draft41K-tok495-f16.gguf`;
const BRIDGES = ["tli", "slrs", "omnidraft", "slem"].map((bridge) => `${bridge}:${OTHER_VOCABULARY}`);
const WITH_MODEL = {
  stories: [
    ...SHAPES.map(({ name }) => `model:${SMALL}?shape=${name}`),
    ...[
      `superposed:${SMALL}`,
      `ouroboros:model:${SMALL}`,
      `cascade:lookup,suffix?reviewer=(model:${SMALL})`,
      `graft:model:${SMALL}`,
    ],
  ],
  // There is no small model of its vocabulary: its own file drafts what is nearly always right, noise what never is.
  default: [
    `model:${DEFAULT_MODEL}`,
    `model:${NOISE}?shape=opt-tree`,
    `ouroboros:model:${DEFAULT_MODEL}`,
    "superposed",
  ],
};

const suite: Suite = {
  summary: "Every drafter and shape beside plain decoding, greedy and by seed: is it the same text?",
  options: {
    model: "default",
    prompts: "N",
    tokens: "N",
    drafters: "LIST",
    temperature: "LIST",
    format: "FORMAT",
    threads: "N",
  },
  async run() {
    const name = option("model") === "default" ? "default" : "stories";
    const [wanted, most] = [
      count("prompts", 200),
      count("tokens", name === "default" ? 24 : 32),
    ];
    const given = option("drafters");
    const store = `equal-${name}`;
    const all = [
      ...withoutModel(store),
      ...SELF(name === "default" ? 30 : 5),
      ...WITH_MODEL[name],
      ...BRIDGES,
    ];
    const drafters = given ? splitOutside(given, ",").map(unwrap) : all;
    const temperatures = (option("temperature") ?? (name === "default" ? "0" : "0,0.8")).split(",");
    const format = option("format") ?? (name === "default" ? "exact" : "float32");

    const model = ["-m", name === "default" ? DEFAULT_MODEL : `${STORIES}stories260K.bin`];
    const texts = (await tasksOf(DATA_SETS, Math.ceil(wanted / KINDS))).map(({ text }) => text);
    const prompts = name === "default"
      ? texts.slice(0, wanted).map((text) => text.slice(0, LONGEST))
      : beginnings(texts, wanted);
    const file = writeRequests(
      `equal-${name}-${wanted}`,
      prompts.map((prompt, id) => ({ id, prompt, text: prompt })), // as a request, and as a text of the store
    );
    const noise = { shape: NOISE_SHAPE, mix: "q8_0", title: "noise with random weights (q8_0)", donor: DEFAULT_MODEL };
    if (!existsSync(NOISE)) writeRandomModel(NOISE, noise, () => {});
    await buildStore(store, file, model);

    const reports = [];
    for (const temperature of temperatures) {
      const results = await hunchBench(["equal", name, format, `t${temperature}`].join("-"), [
        ...[...model, "--format", format, "--backend", "onnx", "--threads", option("threads") ?? "1"],
        ...["--context", name === "default" ? "2048" : "512", "--controller", ALWAYS[name]],
        ...["--data", file, "--prompts", String(wanted), "-n", String(most), "-t", temperature],
        ...[...name === "stories" ? ["--raw"] : [], ...drafters.flatMap((drafter) => ["-d", drafter])],
      ]);
      reports.push(reportOf(results));
    }
    return { report: reports.join("\n\n") };
  },
};

export default suite;

/** What became of every setting's texts. */
function reportOf(results: Results): string {
  const { model, format, facts, maxTokens, sampling: { temperature }, settings } = results;
  const lines = settings.filter(({ name }) => name !== PLAIN).map(({ name, controller }) => {
    const runs = results.runs.filter(({ setting }) => setting === name);
    const sum = (of: (run: Measured) => number) => runs.reduce((total, run) => total + of(run), 0);
    const passes = sum((run) => run.passes);
    const same = runs.filter((run) => run.same).length;
    const cells = [name.replaceAll(STORIES, "").replaceAll(OUT, "").replaceAll(DEFAULT_MODEL, "itself"), controller];
    const per = [sum((run) => run.tokens) / passes, sum((run) => run.rows) / passes].map((value) => value.toFixed(2));
    return { different: runs.length - same, cells: [...cells, `${same} of ${runs.length}`, ...per] };
  });
  const wrong = lines.reduce((sum, { different }) => sum + different, 0);
  const how = temperature === 0 ? "greedy" : `by seed at temperature ${temperature}`;
  return `${model.title}, weights ${format}, ${how}: ${facts.length} prompts of up to ${maxTokens} tokens. ` +
    `${wrong === 0 ? "No text differs." : `${wrong} TEXTS DIFFER.`}\n\n` +
    table(["drafter", "controller", "same text", "tokens per pass", "rows per pass"], lines.map(({ cells }) => cells));
}

/** The first words of so many texts, a different number of each. */
function beginnings(texts: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const words = texts[at % texts.length].split(/\s+/).filter(Boolean);
    return words.slice(0, 1 + at % 12).join(" ");
  });
}
