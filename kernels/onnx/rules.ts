// Verification rules on ONNX Runtime: the walk down the draft tree in JavaScript, the judgement of each place in a graph
// that is bound to the very buffers that the pass wrote. What crosses into JavaScript are tokens and counts.
//
// A place is judged only when the walk gets there: its rows are most of the work, and most are never looked at.
import type { Verified, VerifyRequest } from "../../src/device-rule.ts";
import type { Distribution } from "../../src/math/distribution.ts";
import type { TreePlace } from "../../src/draft/walk.ts";
import { Feed } from "./feed.ts";
import { bytesOf, GraphBuilder } from "./graph.ts";
import { encodeModel } from "./proto.ts";
import { drawGraph, RULE_FEEDS, RULE_RESULTS } from "./rule-graphs.ts";
import type { BuildGraph, ScoredPass } from "./rules/onnx-rule.ts";
import { RULES } from "./rules/table.ts";
import type { Runtime, Session, Value } from "./runtime.ts";

type FeedName = keyof typeof RULE_FEEDS;
type ResultName = keyof typeof RULE_RESULTS;

interface Graph {
  readonly session: Session;
  readonly feeds: readonly FeedName[];
  readonly run: (inputs: Value[], outputs: Value[]) => void;
}

/** The graphs, each made when it is first wanted, and the memory that they share. They hold no weights. */
export class OnnxRules {
  readonly #graphs = new Map<string, Graph>();
  readonly #drafts: Feed<BigInt64Array>;
  readonly #uniforms: Feed<Float64Array>;
  readonly #limits: Feed<Float64Array>;
  readonly #token: Feed<BigInt64Array>;
  readonly #used: Feed<BigInt64Array>;
  readonly #sums: Feed<Float64Array>;
  readonly #likely: Feed<Float64Array>;
  /** A sparse distribution written out; all 0 between uses. [vocab] */
  #spread = new Float64Array(0);

  constructor(private readonly runtime: Runtime, private readonly vocab: number) {
    this.#drafts = Feed.longs(runtime);
    this.#uniforms = Feed.doubles(runtime);
    this.#limits = Feed.doubles(runtime);
    this.#token = Feed.longs(runtime);
    this.#used = Feed.longs(runtime);
    this.#sums = Feed.doubles(runtime);
    this.#likely = Feed.doubles(runtime);
  }

  /**
   * `probabilities`: float32 [rows, vocab] as a pass wrote them; `argmax`: the likeliest token of a row. Undefined where
   * this rule cannot be run, or not on this tree. Throws RangeError where a row cannot be drawn from.
   */
  verify(
    { rule: { name, parameters = {} }, tree, uniforms }: VerifyRequest,
    probabilities: Float32Array,
    argmax: (row: number) => number,
  ): Verified | undefined {
    let used = 0;
    const row = (row: number) => probabilities.subarray(row * this.vocab, (row + 1) * this.vocab);
    const say = (graph: string, build: BuildGraph, { row: at, drafts, drawn }: TreePlace): number => {
      const numbers = uniforms.subarray(used, used + drafts.length + 1);
      this.#run(graph, build, row(at), drafts, numbers, drawn, ["token", "used", "sums"]);
      used += Number(this.#used.data[0]);
      return Number(this.#token.data[0]);
    };
    const pass: ScoredPass = {
      vocab: this.vocab,
      argmax,
      draw: (row) => say("draw", drawGraph, { row, drafts: [], drawn: undefined }),
      say,
      likely: (graph, build, at, drafts, limits) => {
        this.#limits.bind([2]).set(limits);
        this.#run(graph, build, row(at), drafts, uniforms, undefined, ["likely", "sums"]);
        return this.#likely.data.slice(0, drafts.length);
      },
    };
    const verdict = RULES.get(name)?.verify(tree, pass, parameters);
    return verdict && { verdict, used };
  }

  close(): void {
    for (const { session } of this.#graphs.values()) session.close();
    this.#graphs.clear();
    for (
      const feed of [
        this.#drafts,
        this.#uniforms,
        this.#limits,
        this.#token,
        this.#used,
        this.#sums,
        this.#likely,
      ]
    ) feed.close();
  }

  #run(
    name: string,
    build: BuildGraph,
    row: Float32Array,
    drafts: readonly number[],
    uniforms: Float64Array,
    drawn: Distribution | undefined,
    wanted: readonly ResultName[],
  ): void {
    const { feeds, run } = this.#graph(name, build, wanted);
    this.#drafts.bind([drafts.length]).set(drafts.map(BigInt));
    this.#uniforms.bind([uniforms.length]).set(uniforms);
    this.#token.bind([1]);
    this.#used.bind([1]);
    this.#sums.bind([2]);
    this.#likely.bind([drafts.length]);
    const { runtime, vocab } = this;
    const q = drawn && feeds.includes("drawn") ? this.#spreadOut(drawn) : undefined;
    const bound = {
      row: runtime.tensor(row, "float32", [vocab]),
      drawn: q && runtime.tensor(q, "float64", [vocab]),
      drafts: this.#drafts.value,
      uniforms: this.#uniforms.value,
      limits: this.#limits.value,
    };
    const outputs = {
      token: this.#token.value,
      used: this.#used.value,
      sums: this.#sums.value,
      likely: this.#likely.value,
    };
    try {
      run(feeds.map((feed) => bound[feed]!), wanted.map((result) => outputs[result]));
    } finally {
      runtime.release(bound.row);
      if (bound.drawn) runtime.release(bound.drawn);
      if (drawn?.tokens && q === this.#spread) { for (const token of drawn.tokens) this.#spread[token] = 0; }
    }
    for (const sum of this.#sums.data.subarray(0, 2)) {
      if (!(sum > 0 && sum < Infinity)) throw new RangeError(`probabilities sum to ${sum}`);
    }
  }

  /** All of its values, [vocab]. */
  #spreadOut({ tokens, probabilities }: Distribution): Float64Array {
    if (tokens === undefined) return probabilities;
    if (this.#spread.length === 0) this.#spread = new Float64Array(this.vocab);
    tokens.forEach((token, i) => this.#spread[token] = probabilities[i]);
    return this.#spread;
  }

  #graph(name: string, build: BuildGraph, wanted: readonly ResultName[]): Graph {
    let graph = this.#graphs.get(name);
    if (graph === undefined) {
      const g = new GraphBuilder();
      build(g, this.vocab);
      const model = encodeModel(g.finish(name, bytesOf));
      // One thread: a row is too short to share, and a second pool of threads would get in the way of the passes.
      const session = this.runtime.session(model, { threads: 1, provider: "cpu" });
      const feeds = g.inputs.map((input) => input.name as FeedName);
      graph = { session, feeds, run: session.runner(feeds, wanted) };
      this.#graphs.set(name, graph);
    }
    return graph;
  }
}
