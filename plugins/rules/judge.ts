// judge: a small classifier over the target's hidden states says whether a draft that the target did not draw is right
// all the same. RELAXED: the text is not distributed as the target's.
// Judge Decoding: Faster Speculative Sampling Requires Going Beyond Model Alignment (Bachmann et al., 2025,
// arXiv 2501.19309), section 4: one linear layer on the target's last hidden state of the drafted token.
//
// The target draws its own token first (at temperature 0 it is the likeliest). If that was drafted, it stands; otherwise
// the first draft that the judge likes, σ(w·h + b) > threshold, stands instead.
//
// A judge is trained for one model and comes as a file, see `readJudge`. It needs an engine that hands out hidden states
// (`Capabilities.taps`). None is trained for the default model: until then the rule can only be given a judge of yours.
import { readFileSync } from "node:fs";
import type { Scores } from "../../src/backend.ts";
import { normalise } from "../../src/math/distribution.ts";
import { HunchError } from "../../src/errors.ts";
import { Fields } from "../../src/fields.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { Verdict } from "../../src/verdict.ts";
import { DRAFT_LAWS, type DraftTree } from "../../src/tree.ts";
import { childrenOf, pathTo } from "./walk.ts";

/** A judge: likes a token whose hidden state h [width] has σ(weights·h + bias) > threshold. */
export interface Judge {
  readonly weights: Float64Array; // [width]
  readonly bias: number;
  readonly threshold: number;
}

/** Scores of an engine with taps: row → the target's last hidden state after its final norm, [width]. */
export interface TappedScores extends Scores {
  hidden(row: number): Float32Array | Float64Array;
}

/**
 * Reads `{"format": "hunch-judge", "version": 1, "weights": [...], "bias": b, "threshold": t}`, with as many weights as
 * the model is wide. Throws HunchError("input") naming the field that is wrong.
 */
export function readJudge(file: string, width: number): Judge {
  const wrong = (message: string, field?: string) =>
    new HunchError("input", message, {
      file,
      field: field || undefined,
      hint: `a judge is JSON with format, version, weights [${width}], bias`,
    });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrong(`the judge cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const fields = Fields.of(json, wrong, "the judge is no JSON object");
  const { format, version, weights } = fields.values;
  fields.need(format === "hunch-judge", "format", "the file is no judge");
  fields.need(version === 1, "version", `judges of version ${String(version)} are unknown`);
  if (!Array.isArray(weights) || !weights.every(Number.isFinite)) {
    throw fields.wrong("weights", "weights are not numbers");
  }
  fields.need(weights.length === width, "weights", `${weights.length} weights for a model of width ${width}`);
  const bias = fields.required("bias", "number", "bias is no number");
  fields.need(Number.isFinite(bias), "bias", "bias is no number");
  const threshold = fields.optional("threshold", "number", "threshold is not in 0 … 1") ?? 0.5;
  fields.need(threshold >= 0 && threshold <= 1, "threshold", "threshold is not in 0 … 1");
  return { weights: Float64Array.from(weights), bias, threshold };
}

function likes({ weights, bias, threshold }: Judge, hidden: ArrayLike<number>): boolean {
  let sum = bias;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * hidden[i];
  return 1 / (1 + Math.exp(-sum)) > threshold;
}

export function judged(judge: Judge | undefined): VerificationRule {
  /** `ownAt`: the token that the target says itself at a row. */
  const walk = (tree: DraftTree, scores: Scores, ownAt: (row: number) => number): Verdict => {
    if (judge === undefined || !hasHidden(scores)) {
      throw new HunchError(
        "unavailable",
        judge === undefined ? "the rule judge has no judge" : "this engine gives no hidden states to a judge",
        { hint: "use another rule, e.g. typical" },
      );
    }
    for (let node = -1;;) {
      const own = ownAt(node + 1);
      const children = childrenOf(tree, [node]);
      const stands = children.find((child) => tree.tokens[child] === own) ??
        children.find((child) => likes(judge, scores.hidden(child + 1)));
      if (stands === undefined) return { path: pathTo(tree, node), next: own };
      node = stands;
    }
  };
  return {
    name: "judge",
    lossless: false,
    laws: DRAFT_LAWS,
    verify: (tree, scores, chance) => walk(tree, scores, (row) => chance.pick(normalise(scores.distribution(row)))),
    verifyGreedily: (tree, scores) => walk(tree, scores, (row) => scores.argmax(row)),
  };
}

function hasHidden(scores: Scores): scores is TappedScores {
  return "hidden" in scores && typeof scores.hidden === "function";
}

export default definePlugin({
  kind: "rule",
  name: "judge",
  summary: "RELAXED: a classifier over the target's hidden states keeps drafts that are right in other words",
  argument: "FILE",
  paper: {
    title: "Judge Decoding: Faster Speculative Sampling Requires Going Beyond Model Alignment",
    year: 2025,
    arxiv: "2501.19309",
  },
  create(_options, file, context) {
    if (file === "") return judged(undefined); // to be listed
    const { name, can, source } = context.target;
    if (!can.taps) {
      throw new HunchError("unavailable", `${name} gives no hidden states to a judge`, {
        hint: "use the rule typical",
      });
    }
    return judged(readJudge(file, source.spec.width));
  },
});
