// The end of the graph: logits, and what is made of them before JavaScript looks.
import { MOST_CANDIDATES } from "../../src/backend.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import type { GraphBuilder, Value } from "./graph.ts";
import type { Attribute, GraphProto, NodeProto } from "./proto.ts";

/** What the end of the graph is fed. */
export const SCORE_FEEDS = {
  wantProbabilities: "want_probabilities", // bool [1]; false: only the largest logit is found
  temperature: "temperature", // float32 [1]
} as const;

/**
 * What a pass gives for S scored rows, besides the caches. K is MOST_CANDIDATES and P the vocabulary, or both 1 where
 * only the largest logit was wanted.
 */
export const RESULTS = {
  logits: "logits", // float32 [S, vocab]
  probabilities: "probabilities", // float32 [S, P], soft-max at the temperature (largest only: 0)
  tokens: "tokens", // int64 [S, K], likeliest first, equal ones by ascending id (largest only: 0)
  likelihoods: "likelihoods", // float32 [S, K], their probabilities (largest only: that logit)
  sums: "logit_sums", // float32 [S]; finite where all logits of the row are
} as const;

/**
 * Scales and caps the logits; then either just the largest of a row (where it stands is found by whoever asks, for few
 * rows: ONNX Runtime's ArgMax takes seven times as long), or soft-max at a temperature and the top tokens.
 */
export function appendScores(g: GraphBuilder, spec: ModelSpec, raw: Value): void {
  let logits = raw;
  if (spec.logitScale !== 1) logits = g.op("Mul", [logits, g.constant("float32", [spec.logitScale])]);
  if (spec.logitSoftcap) {
    const cap = g.constant("float32", [spec.logitSoftcap]);
    logits = g.op("Mul", [g.op("Tanh", [g.op("Div", [logits, cap])]), cap]);
  }
  logits = g.rename(logits, RESULTS.logits);
  g.output(RESULTS.logits, "float32", ["S", spec.vocab]);
  const last = g.constant("int64", [-1]);
  g.op("ReduceSum", [logits, last], { keepdims: { int: 0 } }, RESULTS.sums);
  g.output(RESULTS.sums, "float32", ["S"]);
  g.input(SCORE_FEEDS.wantProbabilities, "bool", [1]);
  g.input(SCORE_FEEDS.temperature, "float32", [1]);
  const top = g.constant("int64", [Math.min(MOST_CANDIDATES, spec.vocab)]);
  const zero = g.constant("float32", [0], [1, 1]);

  const first = g.constant("int64", [0]);
  const probabilities = branch("probabilities", [
    node("TopK", [logits, top], ["p_logits", "p_tokens"], { axis: { int: -1 } }),
    // The highest is taken away before the division: a low temperature would make infinite numbers of large ones.
    node("Gather", ["p_logits", first], ["highest"], { axis: { int: 1 } }),
    node("Sub", [logits, "highest"], ["below"]),
    node("Div", ["below", SCORE_FEEDS.temperature], ["scaled"]),
    node("Softmax", ["scaled"], ["p_all"], { axis: { int: -1 } }),
    node("GatherElements", ["p_all", "p_tokens"], ["p_likelihoods"], { axis: { int: -1 } }),
  ], ["p_all", "p_tokens", "p_likelihoods"]);
  const argmax = branch("argmax", [
    node("ReduceMax", [logits, last], ["a_highest"], { keepdims: { int: 1 } }),
    node("Mul", ["a_highest", zero], ["a_all"]),
    node("Cast", ["a_all"], ["a_tokens"], { to: { int: 7 } }),
  ], ["a_all", "a_tokens", "a_highest"]);
  g.nodes.push({
    op: "If",
    domain: "",
    inputs: [SCORE_FEEDS.wantProbabilities],
    outputs: [RESULTS.probabilities, RESULTS.tokens, RESULTS.likelihoods],
    attributes: { then_branch: { graph: probabilities }, else_branch: { graph: argmax } },
  });
  g.output(RESULTS.probabilities, "float32", ["S", "P"]);
  g.output(RESULTS.tokens, "int64", ["S", "K"]);
  g.output(RESULTS.likelihoods, "float32", ["S", "K"]);
}

function node(
  op: string,
  inputs: readonly Value[],
  outputs: readonly Value[],
  attributes: Record<string, Attribute> = {},
): NodeProto {
  return { op, domain: "", inputs, outputs, attributes };
}

function branch(name: string, nodes: readonly NodeProto[], outputs: readonly [Value, Value, Value]): GraphProto {
  const types = ["float32", "int64", "float32"] as const;
  return {
    name,
    nodes,
    initializers: [],
    inputs: [],
    outputs: outputs.map((output, i) => ({ name: output, type: types[i], shape: ["S", i === 0 ? "P" : "K"] })),
  };
}
