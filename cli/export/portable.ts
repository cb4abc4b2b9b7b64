// A setting in words that other engines have: who drafts, how much, and what of ours they lack.
import type { Specs } from "../engine/session.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";

/** How an engine can draft: not at all, from the text, from texts before by suffixes, with a second model. */
export type Way = "none" | "ngram" | "suffix" | "model";

export interface Portable {
  readonly way: Way;
  /** Most tokens of a match in the text. */
  readonly longest: number;
  /** Least tokens of one. */
  readonly shortest: number;
  /** The second model's file. */
  readonly draft: string | undefined;
  /** Tokens of a draft. */
  readonly tokens: number;
  /** What is not as it was in hunch, a sentence each. */
  readonly notes: readonly string[];
}

/** Tokens of a draft where neither the controller nor the user says how many: what most engines begin with. */
const TOKENS = 5;
/** Matches of the drafter `lookup` where nothing is said, and drafts of the controller `fixed`. */
const LONGEST = 8, SHORTEST = 1, NODES = 8;

/** Drafters with a counterpart elsewhere, by name. */
const WAYS: Readonly<Record<string, Way>> = { none: "none", lookup: "ngram", suffix: "suffix", model: "model" };
/** Rules that keep what the engines' own rejection sampling keeps. */
const COMMON_RULES = ["greedy", "match", "token"];

/** What is told of an engine. */
export interface Able {
  readonly title: string;
  readonly ways: readonly Way[];
  /** What it is told of matches in the text. */
  readonly matches: readonly ("longest" | "shortest")[];
}

/**
 * `lossless`: of the rule. `tokens`: where the user says how long drafts are. The specs must be right
 * (`Registry.check`).
 */
export function portable(
  { drafter, rule, controller, lossless }: Specs & { readonly lossless: boolean },
  tokens: number | undefined,
  { title: engine, ways, matches }: Able,
): Portable {
  const { name, argument, options } = parseSpec(drafter);
  const length = lengthOf(controller);
  const wanted: Way | undefined = length === 0 ? "none" : WAYS[name];
  const way = wanted !== undefined && ways.includes(wanted) ? wanted : "ngram";
  const notes: string[] = [];
  const told: readonly string[] = way === "ngram" ? matches : way === "model" ? ["shape"] : [];
  const untold = [...options].filter(([option]) => way === wanted && way !== "none" && !told.includes(option));
  if (untold.length > 0) {
    notes.push(`${engine} is not told of ${untold.map(([option, value]) => `${option}=${value}`).join(", ")}`);
  }
  if (way !== wanted) notes.push(`${engine} has no drafter ${name}; what comes nearest is matching in the text`);
  const shape = options.get("shape");
  if (way === "model" && shape !== undefined && shape !== "chain") {
    notes.push(`${engine} drafts chains with a second model, not trees of the shape ${shape}`);
  }
  if (way !== "none" && length === undefined) {
    const taken = tokens === undefined
      ? `${TOKENS} tokens, for want of a measured length (--tokens)`
      : `${tokens} tokens`;
    notes.push(
      `${engine} drafts so many tokens in every round, where the controller ${controller} decides anew: ${taken}`,
    );
  }
  if (!COMMON_RULES.includes(parseSpec(rule).name)) {
    notes.push(
      lossless
        ? `${engine} has no rule ${rule}; its own rejection sampling keeps the same distribution and accepts less`
        : `${engine} has no rule ${rule}, which changes what is said; its own rejection sampling keeps the target's ` +
          "distribution",
    );
  }
  return {
    way,
    longest: Number(options.get("longest") ?? LONGEST),
    shortest: Number(options.get("shortest") ?? SHORTEST),
    draft: way === "model" ? argument.replace(/\?tokenizer=.*$/, "") : undefined,
    tokens: tokens ?? length ?? TOKENS,
    notes,
  };
}

/** What a controller of a fixed length says. */
function lengthOf(controller: string): number | undefined {
  const { name, options } = parseSpec(controller);
  if (name !== "fixed") return undefined;
  const [nodes, depth] = [Number(options.get("nodes") ?? NODES), Number(options.get("depth") ?? 0)];
  return depth === 0 ? nodes : Math.min(nodes, depth);
}
