// judge: a small classifier over the target's hidden states says whether a draft that the target did not draw is right
// all the same. RELAXED: the text is not distributed as the target's.
// Judge Decoding: Faster Speculative Sampling Requires Going Beyond Model Alignment (Bachmann et al., 2025,
// arXiv 2501.19309), section 4: one linear layer on the target's last hidden state of the drafted token.
//
// The target draws its own token first (at temperature 0 it is the likeliest). If that was drafted, it stands; otherwise
// the first draft that the judge likes, σ(w·h + b) > threshold, stands instead.
//
// A judge is trained for one model and comes as a file, see `readJudge`. That of the default model comes with hunch; it was
// made by `scripts/train-judge.ts`, whose header says how. Where the paper's judge learned from answers that people marked,
// with what is wrong in them, this one learned which of the model's own drafts lead to what a stronger setting finds as
// likely as the answer: it knows what goes on well, not what is true. The engine must hand out hidden states.
import { readFileSync } from "node:fs";
import type { Scores } from "../../src/backend.ts";
import { normalise } from "../../src/math/distribution.ts";
import { HunchError } from "../../src/errors.ts";
import { Fields, type Refuse } from "../../src/fields.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { VerificationRule } from "../../src/rule.ts";
import type { Verdict } from "../../src/verdict.ts";
import { DRAFT_LAWS, type DraftTree } from "../../src/tree.ts";
import shipped from "./judges/smollm2-135m-instruct.json" with { type: "json" };
import { childrenOf, pathTo } from "./walk.ts";

/** A judge: likes a token whose hidden state h [width] has σ(weights·h + bias) > threshold. */
export interface Judge {
  readonly weights: Float64Array; // [width]
  readonly bias: number;
  readonly threshold: number;
}

/**
 * Reads `{"format": "hunch-judge", "version": 1, "weights": [...], "bias": b, "threshold": t}`, with as many weights as
 * the model is wide. Throws HunchError("input") naming the field that is wrong.
 */
export function readJudge(file: string, width: number): Judge {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrong(file, width)(`the judge cannot be read: ${error instanceof Error ? error.message : error}`, "");
  }
  return judgeOf(json, width, wrong(file, width));
}

const wrong = (file: string, width: number): Refuse => (message, field) =>
  new HunchError("input", message, {
    file,
    field: field || undefined,
    hint: `a judge is JSON with format, version, weights [${width}], bias`,
  });

function judgeOf(json: unknown, width: number, refuse: Refuse): Judge {
  const fields = Fields.of(json, refuse, "the judge is no JSON object");
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

/** `states`: [rows · width] */
function likes({ weights, bias, threshold }: Judge, states: ArrayLike<number>, row: number): boolean {
  let sum = bias;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * states[row * weights.length + i];
  return 1 / (1 + Math.exp(-sum)) > threshold;
}

/** `judge` is asked when a text starts; throws HunchError where there is none. */
export function judged(judge: () => Judge): VerificationRule {
  /** `ownAt`: the token that the target says itself at a row. */
  const walk = (tree: DraftTree, scores: Scores, ownAt: (row: number) => number): Verdict => {
    let states: ArrayLike<number> | undefined;
    const good = (child: number) => likes(judge(), states ??= statesOf(scores), child + 1);
    for (let node = -1;;) {
      const own = ownAt(node + 1);
      const children = childrenOf(tree, [node]);
      const stands = children.find((child) => tree.tokens[child] === own) ??
        children.find(good);
      if (stands === undefined) return { path: pathTo(tree, node), next: own };
      node = stands;
    }
  };
  return {
    name: "judge",
    lossless: false,
    laws: DRAFT_LAWS,
    taps: ["head"],
    prepare: () => Promise.resolve(void judge()), // where there is none, that is told before the first token
    verify: (tree, scores, chance) => walk(tree, scores, (row) => chance.pick(normalise(scores.distribution(row)))),
    verifyGreedily: (tree, scores) => walk(tree, scores, (row) => scores.argmax(row)),
  };
}

function statesOf(scores: Scores): ArrayLike<number> {
  if (scores.states !== undefined) return scores.states("head");
  throw new HunchError("unavailable", "there are no hidden states here for a judge", {
    hint: "use another rule, e.g. typical",
  });
}

/** The judge that comes with hunch, where it is of this model. */
function shippedFor({ title, spec }: ModelSource): Judge {
  if (title === shipped.model && spec.width === shipped.weights.length) {
    return judgeOf(shipped, spec.width, (must) => new HunchError("input", must));
  }
  throw new HunchError("usage", `no judge is trained for ${title}`, {
    hint: "train one with scripts/train-judge.ts and give its file, judge:FILE, or use the rule typical",
  });
}

export default definePlugin({
  kind: "rule",
  name: "judge",
  summary: "RELAXED: a classifier over the target's hidden states keeps drafts that are right in other words",
  argument: "[FILE]",
  paper: {
    title: "Judge Decoding: Faster Speculative Sampling Requires Going Beyond Model Alignment",
    year: 2025,
    arxiv: "2501.19309",
  },
  options: {
    threshold: {
      type: "number",
      default: -1,
      min: -1,
      max: 1,
      summary: "how sure the judge must be, 0 to 1; -1: as its file says",
    },
  },
  create({ threshold }, file, context) {
    if (threshold < 0 && threshold !== -1) {
      throw new HunchError("usage", `judge?threshold is ${threshold}`, {
        hint: "give 0 to 1, or -1 for the file's own",
      });
    }
    let judge = file === "" ? undefined : readJudge(file, context.target.source.spec.width);
    return judged(() => {
      judge ??= shippedFor(context.target.source);
      return threshold < 0 ? judge : { ...judge, threshold };
    });
  },
});
