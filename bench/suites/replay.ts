// What drafters would bring, without a clock: greedy texts of the default model are recorded once, with the likeliest
// tokens of every row, and drafters then guess at them, round by round, each with its controller, on cost curves that
// were measured elsewhere. Says what a method can win where passes cost so much; `hunch bench` says what it wins here.
// A refused row's candidates are not recorded: a drafter that keeps them is given none, and does a little better live.
//
//   npm run bench -- replay                                     lookup and auto, eight prompts of each kind
//   npm run bench -- replay --drafters=auto,recycling --curve=flat --prompts=4
//   npm run bench -- replay --reliability                       how often guesses that were called so likely were right
//   npm run bench -- replay --weights                           what auto has learned at the end
import { existsSync, readFileSync } from "node:fs";
import { contextOf, openRegistry } from "../../cli/engine/methods.ts";
import { Session } from "../../cli/engine/session.ts";
import { promptOf } from "../../cli/input/prompt.ts";
import { interpolateCost } from "../../kernels/cost.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import type { Engine } from "../../src/backend.ts";
import { SeededChance } from "../../src/chance.ts";
import type { Controller } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { openModel } from "../../src/model/open.ts";
import { splitOutside, unwrap } from "../../src/plugins/method-spec.ts";
import { writeOutput } from "../../src/output-file.ts";
import { GREEDY } from "../../src/sampling.ts";
import { EMPTY_TREE } from "../../src/tree.ts";
import { table } from "../report.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";
import { count, flag, option, type Suite } from "../suite.ts";
import { workloads } from "../workloads.ts";

/** Likeliest tokens kept of every row. */
const CANDIDATES = 8;
const CONTEXT = 4096;

/** Milliseconds of a pass over so many rows: given, as the default model had them once on two processors, and a flat one. */
const CURVES: Record<string, readonly (readonly [number, number])[]> = {
  avx2: [[1, 8.9], [2, 9], [4, 15], [8, 25], [16, 38.8], [32, 72.7]],
  vnni: [[1, 6.5], [2, 6.6], [4, 8.5], [8, 12.5], [16, 19.2], [32, 33]],
  flat: [[1, 10], [2, 10], [4, 10.1], [8, 10.4], [16, 11], [32, 13]],
};

interface Recorded {
  readonly kind: string;
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  /** [prompt + answer − 1][2 · CANDIDATES] token and probability in turn: what the target expected after each token. */
  readonly rows: readonly (readonly number[])[];
}

/** By tenths of what the drafter called likely: judged nodes, the sum of what it said, and how many were accepted. */
type Reliability = { judged: number; said: number; accepted: number }[];

interface Sum {
  tokens: number;
  passes: number;
  rows: number;
  ms: number;
  plainMs: number;
}

const suite: Suite = {
  summary:
    "What drafters would bring on given cost curves: a replay of recorded greedy texts, exact and without a clock",
  options: {
    prompts: "N",
    tokens: "N",
    drafters: "LIST",
    curve: "LIST",
    controller: "NAME",
    reliability: "",
    weights: "",
  },
  async run() {
    const texts = await recorded(count("prompts", 8), count("tokens", 160));
    const names = splitOutside(option("drafters") ?? "lookup,auto", ",").map(unwrap);
    const curves = (option("curve") ?? Object.keys(CURVES).join()).split(",");
    const source = await openModel(DEFAULT_MODEL);
    const rows: string[][] = [];
    const learned: string[] = [];
    for (const curve of curves) {
      const cost = (width: number) => interpolateCost(CURVES[curve].map(([width, ms]) => ({ width, ms })), width);
      for (const name of names) {
        const registry = await openRegistry([]);
        const context = contextOf(registry, { source, cost } as Engine); // nothing is computed: recorded tokens are replayed
        const drafter = await registry.resolve("drafter", name, context);
        const company = option("controller") ?? registry.controllerOf(name) ?? "cost";
        const controller = await registry.resolve("controller", company, context);
        const kinds = new Map<string, Sum>();
        const reliability = Array.from({ length: 10 }, () => ({ judged: 0, said: 0, accepted: 0 }));
        let own = 0;
        for (const text of texts) {
          const sum = kinds.get(text.kind) ?? { tokens: 0, passes: 0, rows: 0, ms: 0, plainMs: 0 };
          kinds.set(text.kind, sum);
          own += await play(drafter, controller, text, cost, sum, reliability);
        }
        const all = [...kinds.values()];
        const total = (of: (sum: Sum) => number) => all.reduce((sum, each) => sum + of(each), 0);
        const gain = ({ plainMs, ms }: Sum) => plainMs / ms;
        rows.push([
          curve,
          name,
          (total(({ tokens }) => tokens) / total(({ passes }) => passes)).toFixed(2),
          (total(({ rows }) => rows) / total(({ passes }) => passes)).toFixed(1),
          (total(gain) / all.length).toFixed(3),
          (own / total(({ passes }) => passes)).toFixed(3),
          ...all.map((sum) => gain(sum).toFixed(2)),
        ]);
        if (flag("reliability")) {
          const told = reliability.filter(({ judged }) => judged > 0).map(({ judged, said, accepted }) =>
            `${(said / judged).toFixed(2)} → ${(accepted / judged).toFixed(2)} (${judged})`
          );
          learned.push(`${curve}, ${name}, said → was (nodes): ${told.join(", ")}`);
        }
        const weights = (drafter as { weights?: readonly number[] }).weights;
        if (flag("weights") && weights) {
          learned.push(`${curve}: ${weights.map((weight) => weight.toFixed(2)).join(", ")}`);
        }
      }
    }
    const kinds = [...new Set(texts.map(({ kind }) => kind))];
    return {
      report: `${texts.length} texts. Over plain: mean of the kinds.\n\n` +
        table(["curve", "drafter", "tokens per pass", "rows", "over plain", "own ms a round", ...kinds], rows) +
        learned.map((line) => `\n${line}`).join(""),
    };
  },
};

export default suite;

/** Milliseconds that the drafter took. */
async function play(
  drafter: Drafter,
  controller: Controller,
  { prompt, answer, rows }: Recorded,
  cost: (width: number) => number,
  sum: Sum,
  reliability: Reliability,
): Promise<number> {
  const all = [...prompt, ...answer];
  const chance = new SeededChance("replay");
  await drafter.begin(Int32Array.from(prompt), GREEDY);
  const candidates = (place: number) => {
    const pairs = rows[place];
    return {
      tokens: Int32Array.from({ length: CANDIDATES }, (_, i) => pairs[2 * i]),
      probabilities: Float32Array.from({ length: CANDIDATES }, (_, i) => pairs[2 * i + 1]),
    };
  };
  const nothing = { tokens: new Int32Array(0), probabilities: new Float32Array(0) };
  let own = 0;
  for (let at = prompt.length; at < all.length;) {
    const remaining = all.length - at;
    const wanted = controller.plan({ length: at, remaining, cost });
    const plan = { ...wanted, nodes: Math.min(wanted.nodes, 127), depth: Math.min(wanted.depth, remaining - 1) };
    let since = performance.now();
    const drafting = plan.nodes > 0 && plan.depth > 0;
    const tree = drafting ? await drafter.draft(plan, chance) : EMPTY_TREE;
    const draftMs = performance.now() - since;
    const path: number[] = [];
    const rowPlaces: (number | undefined)[] = [at - 1, ...Array.from(tree.tokens, () => undefined)];
    for (let here = -1; path.length < remaining - 1;) {
      const node = tree.tokens.findIndex((token, i) => tree.parents[i] === here && token === all[at + path.length]);
      if (node < 0) break;
      rowPlaces[node + 1] = at + path.length;
      path.push(here = node);
    }
    tree.confidence?.forEach((said, node) => {
      if (tree.parents[node] >= 0 && !path.includes(tree.parents[node])) return; // nobody judged it
      const tenth = reliability[Math.min(9, Math.floor(said * 10))];
      if (tenth === undefined) return; // the drafter does not know
      tenth.judged++;
      tenth.said += said;
      if (path.includes(node)) tenth.accepted++;
    });
    const committed = Int32Array.from(all.slice(at, at + path.length + 1));
    at += committed.length;
    const width = tree.tokens.length + 1;
    since = performance.now();
    const round = {
      plan,
      tree,
      verdict: { path: Int32Array.from(path), next: committed[committed.length - 1] },
      committed,
      candidates: rowPlaces.map((place) => place === undefined ? nothing : candidates(place)),
      rows: width,
      draftMs: 0,
      verifyMs: cost(width),
    };
    await drafter.observe(round);
    own += draftMs + performance.now() - since;
    controller.observe(round);
    sum.passes++;
    sum.rows += width;
    sum.ms += cost(width);
  }
  sum.tokens += answer.length;
  sum.plainMs += answer.length * cost(1);
  return own;
}

/** The texts, from bench/out where they were recorded before. */
async function recorded(count: number, most: number): Promise<Recorded[]> {
  const path = `${ROOT}bench/out/replay-${count}x${most}.json`;
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as Recorded[];
  const session = await Session.open({
    model: DEFAULT_MODEL,
    backend: "onnx",
    format: "exact",
    strict: true,
    context: CONTEXT,
    threads: THREADS,
    drafter: "none",
    rule: undefined,
    controller: undefined,
    plugins: [],
    overflow: "refuse",
  }, () => {});
  const texts: Recorded[] = [];
  for (const [kind, messages] of Object.entries(await workloads(count))) {
    for (const message of messages) {
      const { tokens: prompt } = promptOf(session.source, message, { raw: false, system: undefined });
      texts.push({ kind, prompt: [...prompt], ...await record(session, prompt, most) });
      console.error(`recorded ${kind} ${prompt.length}`);
    }
  }
  writeOutput(path, JSON.stringify(texts), { folders: true });
  return texts;
}

async function record(
  { engine }: Session,
  prompt: Int32Array,
  most: number,
): Promise<Pick<Recorded, "answer" | "rows">> {
  const sequence = engine.open();
  const rows: number[][] = [];
  const answer: number[] = [];
  const pass = async (tokens: Int32Array) => {
    const scores = await sequence.forward({ tokens, need: "candidates" });
    for (let row = 0; row < tokens.length; row++) {
      const { tokens: likeliest, probabilities } = scores.top(row, CANDIDATES);
      rows.push([...likeliest].flatMap((token, i) => [token, Math.round(probabilities[i] * 1e4) / 1e4]));
    }
    const next = scores.argmax(tokens.length - 1);
    sequence.keep(Int32Array.from(tokens.keys()));
    return next;
  };
  let next = 0;
  for (let at = 0; at < prompt.length; at += 32) next = await pass(prompt.slice(at, at + 32));
  while (true) {
    answer.push(next);
    if (answer.length >= most || engine.source.tokenizer.ends.includes(next)) break;
    next = await pass(Int32Array.of(next));
  }
  sequence.close();
  return { answer, rows };
}
