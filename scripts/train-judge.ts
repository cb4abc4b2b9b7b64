// Trains a judge for the rule `judge`: one linear layer that says of a drafted token which the target would not have said
// whether it is right all the same. The model makes its own data.
//
//   node scripts/bun.mjs scripts/train-judge.ts                      of the default model: plugins/rules/judges/
//   node scripts/bun.mjs scripts/train-judge.ts --minutes=5 --model=FILE --format=exact --out=judge.json
//   node scripts/bun.mjs scripts/train-judge.ts --minutes=0      of the examples that are there already
//
// Examples are added to --examples, a line each.
//
// Questions are drawn from the model itself: what it says where its chat template has the user speak. It answers them
// greedily. At places of an answer, other tokens than its own are drafted: those of RANKS. Each is written on greedily for
// some tokens; then the answer and what became of the draft are put to a stronger setting: the same model, which has
// read the question twice (Re-Reading Improves Reasoning in Large Language Models, 2023, arXiv 2309.06275). Where that
// finds the drafted branch as likely as the answer, token by token in the mean, the draft was right. What the judge sees
// is the hidden state of the drafted token before the head.
//
// Every fifth question is held out: it chooses the ridge, and the threshold, which is the one above which the judge likes
// `LIKED` of the held-out drafts.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Session } from "../cli/engine/session.ts";
import { chatPrompt } from "../cli/input/prompt.ts";
import type { Engine, Rows, Sequence } from "../src/backend.ts";
import { SeededChance } from "../src/chance.ts";
import { sampledPass, SampledScores } from "../src/round/sampled-scores.ts";
import { GREEDY, type Sampling } from "../src/sampling.ts";
import { EMPTY_TREE } from "../src/tree.ts";
import { fitLogistic, likelihoodOf, rankQuality } from "./logistic.ts";
import { ROOT } from "./runtimes.ts";

const option = (name: string, standard: string) =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? standard;

const MODEL = option("model", `${ROOT}models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf`);
const OUT = option("out", `${ROOT}plugins/rules/judges/smollm2-135m-instruct.json`);
const FILE = option("examples", join(tmpdir(), "hunch-judge-examples.jsonl"));
const MINUTES = Number(option("minutes", "20"));
/** Drafted in place of the model's likeliest token: the second likeliest, and so on. */
const RANKS = [2, 3, 4, 6, 10, 20];
/** Tokens that a drafted token is written on by, and those between places of an answer. */
const AHEAD = 5, STEP = 3;
const QUESTION = 32, ANSWER = 64;
const WARM: Sampling = { ...GREEDY, temperature: 1, topP: 0.95 };
/** Nats a token that the drafted branch may be behind. */
const BEHIND = 0.1;
const LIKED = 0.05;
const RIDGES = [0.01, 0.1, 0.3, 1, 3];

interface Example {
  readonly question: number;
  readonly rank: number;
  readonly state: Float32Array;
  /** How likely the target finds the drafted token. */
  readonly probability: number;
  /** Nats a token, of the drafted branch less those of the answer. */
  readonly gain: number;
}

/** A sequence that is brought to a text. */
class Reader {
  #cached: Int32Array = new Int32Array(0);

  constructor(private readonly sequence: Sequence) {}

  /** Commits all of the text but its last token, and runs a tree below that; row 0 is the root's. */
  async pass(
    text: Int32Array,
    tokens: readonly number[],
    parents: readonly number[],
    asked: Pick<Rows, "need" | "taps">,
  ) {
    let at = 0;
    const end = text.length - 1;
    while (at < end && at < this.#cached.length && this.#cached[at] === text[at]) at++;
    this.sequence.rewind(at);
    this.#cached = text.slice(0, end);
    if (at < end) {
      const missing = text.slice(at, end);
      await this.sequence.forward({ tokens: missing, score: "last", need: "argmax" });
      this.sequence.keep(Int32Array.from(missing.keys()));
    }
    const rows = Int32Array.of(text[end], ...tokens);
    const above = Int32Array.of(-1, ...parents.map((parent) => parent + 1));
    return await this.sequence.forward({ tokens: rows, parents: above, ...asked });
  }
}

/** Draws until an end token, or greedily. */
async function write(
  sequence: Sequence,
  engine: Engine,
  start: Int32Array,
  most: number,
  sampling: Sampling,
  seed: number,
) {
  const chance = new SeededChance(seed);
  const text = [...start];
  sequence.rewind(0);
  while (text.length < start.length + most) {
    const tokens = Int32Array.from(text.slice(sequence.length));
    const scores: SampledScores = await sampledPass(
      sequence,
      { tokens, score: "last" },
      sampling,
      Int32Array.from(text),
      EMPTY_TREE,
    );
    const next = sampling.temperature === 0 ? scores.argmax(0) : chance.pick(scores.distribution(0));
    sequence.keep(Int32Array.from(tokens.keys()));
    if (engine.source.tokenizer.ends.includes(next)) break;
    text.push(next);
  }
  return Int32Array.from(text.slice(start.length));
}

const session = await Session.open({
  ...{ model: MODEL, backend: option("backend", "onnx"), format: option("format", "int8") as "int8", strict: true },
  ...{
    context: 1024,
    threads: Number(option("threads", "2")),
    drafter: "none",
    rule: undefined,
    controller: undefined,
  },
  ...{ plugins: [], overflow: "refuse" as const },
}, () => {});
const { engine } = session;
const { tokenizer } = engine.source;
const [writer, reader, stronger] = [engine.open(), new Reader(engine.open()), new Reader(engine.open())];

/** What stands before a question in the chat template. */
const [a, b] = ["a", "b"].map((content) => chatPrompt(engine.source, [{ role: "user", content }]).tokens);
const before = a.slice(0, a.findIndex((token, i) => token !== b[i]));

const until = performance.now() + 60_000 * MINUTES;
const first = existsSync(FILE) ? readFileSync(FILE, "utf8").split("\n").length : 0;
for (let question = first; performance.now() < until; question++) {
  const asked = await write(writer, engine, before, QUESTION, WARM, question);
  const bytes = Uint8Array.from([...asked].flatMap((token) => [...tokenizer.bytes(token)]));
  const text = new TextDecoder().decode(bytes).trim();
  if (text.length < 8) continue;
  const promptOf = (content: string) => chatPrompt(engine.source, [{ role: "user", content }]).tokens;
  const [prompt, twice] = [promptOf(text), promptOf(`${text}\nRead the question again: ${text}`)];
  const answer = await write(writer, engine, prompt, ANSWER, GREEDY, 0);
  for (let at = question % STEP; at + AHEAD < answer.length && performance.now() < until; at += STEP) {
    for (const example of await judgedAt(prompt, twice, answer, at, question)) {
      appendFileSync(FILE, `${JSON.stringify({ ...example, state: base64(example.state) })}\n`);
    }
  }
}
const examples = readFileSync(FILE, "utf8").trimEnd().split("\n").map((line): Example => {
  const example = JSON.parse(line);
  return { ...example, state: new Float32Array(Uint8Array.from(Buffer.from(example.state, "base64")).buffer) };
});
const questions = new Set(examples.map(({ question }) => question)).size;

function base64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

/** What becomes of drafts in place of the answer's token `at`. */
async function judgedAt(
  prompt: Int32Array,
  twice: Int32Array,
  answer: Int32Array,
  at: number,
  question: number,
): Promise<Example[]> {
  const text = Int32Array.of(...prompt, ...answer.subarray(0, at));
  const { tokens: likely, probabilities } = (await reader.pass(text, [], [], { need: "candidates" })).top(
    0,
    Math.max(...RANKS),
  );
  const drafts = RANKS.map((rank) => likely[rank - 1]);
  const tokens = [...drafts], parents = drafts.map(() => -1);
  let ends = drafts.map((_, i) => i);
  let states: Float32Array[] = [];
  for (let step = 0; step < AHEAD; step++) {
    const scores = await reader.pass(text, tokens, parents, { need: "argmax", ...step === 0 && { taps: ["head"] } });
    if (step === 0) states = drafts.map((_, i) => slice(scores.states!("head"), i + 1, engine.source.spec.width));
    ends = ends.map((node) => {
      parents.push(node);
      return tokens.push(scores.argmax(node + 1)) - 1;
    });
  }
  const own = answer.subarray(at, at + AHEAD + 1);
  own.forEach((token, i) => {
    tokens.push(token);
    parents.push(i === 0 ? -1 : tokens.length - 2);
  });
  const scores = await stronger.pass(Int32Array.of(...twice, ...text.subarray(prompt.length)), tokens, parents, {
    need: "probabilities",
  });
  const log = tokens.map((token, node) => Math.log(Math.max(scores.probability(parents[node] + 1, token), 1e-30)));
  const branch = (end: number) => {
    let [sum, count] = [0, 0];
    for (let node = end; node >= 0; node = parents[node], count++) sum += log[node];
    return sum / count;
  };
  const answers = branch(tokens.length - 1);
  return ends.map((end, i) => ({
    ...{ question, rank: RANKS[i], state: states[i], probability: probabilities[RANKS[i] - 1] },
    gain: branch(end) - answers,
  }));
}

function slice(states: Float32Array | Float64Array, row: number, width: number): Float32Array {
  return Float32Array.from(states.subarray(row * width, (row + 1) * width));
}

const right = ({ gain }: Example) => gain >= -BEHIND;
const held = examples.filter(({ question }) => question % 5 === 0);
const taught = examples.filter(({ question }) => question % 5 !== 0);
const answers = held.map(right);
const fits = RIDGES.map((ridge) => {
  const fit = fitLogistic({ features: taught.map(({ state }) => state), answers: taught.map(right) }, ridge);
  return { ridge, fit, quality: rankQuality(held.map(({ state }) => likelihoodOf(fit, state)), answers) };
});
const { fit, ridge, quality } = fits.reduce((best, other) => other.quality > best.quality ? other : best);
const scores = held.map(({ state }) => likelihoodOf(fit, state));
const share = (list: readonly boolean[]) => list.filter(Boolean).length / list.length;
const liked = (threshold: number) => answers.filter((_, i) => scores[i] > threshold);
const threshold = Number([...scores].sort((a, b) => b - a)[Math.floor(LIKED * held.length)].toFixed(4));

console.log(`${questions} questions, ${taught.length} drafts taught, ${held.length} held out`);
for (const rank of RANKS) {
  console.log(`right of rank ${rank}: ${share(examples.filter((of) => of.rank === rank).map(right)).toFixed(3)}`);
}
console.log(`right of those held out: ${share(answers).toFixed(3)}`);
console.log(
  `a right one is found likelier than a wrong one: ${
    fits.map((of) => `${of.quality.toFixed(3)} (ridge ${of.ridge})`).join(", ")
  }`,
);
console.log(
  `… by the target's probability alone: ${rankQuality(held.map(({ probability }) => probability), answers).toFixed(3)}`,
);
for (const value of [0.5, 0.6, 0.7, 0.8, 0.9, threshold]) {
  const kept = liked(value);
  console.log(
    `threshold ${value}: likes ${(kept.length / held.length).toFixed(3)}, of which right ${share(kept).toFixed(3)}`,
  );
}
writeFileSync(
  OUT,
  `${
    JSON.stringify({
      ...{ format: "hunch-judge", version: 1, model: engine.source.title },
      ...{
        weights: Array.from(fit.weights, (weight) => Number(weight.toPrecision(5))),
        bias: Number(fit.bias.toPrecision(6)),
        threshold,
      },
      made: `scripts/train-judge.ts: ${questions} questions, ${taught.length} drafts, ridge ${ridge}; held out ${
        quality.toFixed(3)
      }`,
    })
  }\n`,
);
process.exit(0);
