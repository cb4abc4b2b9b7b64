// superposed: several drafts from one row a step. A model is fed the weighted sum of the embeddings of the drafts' last
// tokens; what it finds likely then goes on with every one of them, and n-grams tell which token belongs to which draft.
// Superposed Decoding: Multiple Generations from a Single Autoregressive Inference Pass (Shen et al., 2024,
// arXiv 2405.18400).
//
// As in the paper: the first tokens are the model's k likeliest; then each step is one row, Σγ·E(x) over the k drafts, γ
// their normalised probabilities; each draft is continued by each of `CANDIDATES`·k likely tokens, and the k likeliest of
// these stay, by p^(1−α)·p_ngram^α, where p_ngram interpolates models of 2 to 6 tokens; weights, α and
// temperature are the paper's. The paper
// writes texts of it; here they are a draft, a tree of all that was among the k. Two things differ: the n-gram models hold
// this run's texts and the store (--store), not 200,000 documents; and since those have seen little, what belongs to n-grams
// that were never seen goes to the model itself, where the paper leaves such tokens out.
//
// `superposed` drafts with the target itself, a whole pass a step: it shows the method and cannot pay. `superposed:FILE`
// takes a draft model, whose step costs one row for k drafts. Law `point`. Memory: texts, 300 bytes a token, answers of the
// run at most 45 MB, and the model.
import type { Engine, Rows, Sequence } from "../../src/backend.ts";
import type { Plan, Round } from "../../src/controller.ts";
import { NgramModel } from "../../src/draft/ngram-model.ts";
import { TokenBuffer } from "../../src/draft/tokens.ts";
import type { Drafter } from "../../src/drafter.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Corpus } from "../../src/store/corpus.ts";
import { type DraftTree, EMPTY_TREE } from "../../src/tree.ts";

/** What n-grams of 2, 3, … 6 tokens count: the paper's. */
const WEIGHTS = [0.01, 0.04, 0.15, 0.18, 0.12];
/** Likely tokens that are looked at for each draft: the paper's. */
const CANDIDATES = 3;

export interface SuperposedOptions {
  /** k, ≥ 1. */
  readonly drafts: number;
  /** α, what n-grams count, 0…1. */
  readonly alpha: number;
  /** Of the model's soft-max, > 0. */
  readonly temperature: number;
}

/** A token of a draft. */
interface Node {
  readonly token: number;
  readonly parent: number;
  readonly depth: number;
  /** Logarithm of how likely the draft is down to here. */
  readonly log: number;
}

export class SuperposedDrafter implements Drafter {
  readonly name = "superposed";
  readonly laws = ["point"] as const;
  readonly #ngrams: NgramModel;
  /** The model's own sequence and the tokens in it; the target's sequence, where that drafts. */
  readonly #own: { readonly sequence: Sequence; readonly cached: TokenBuffer } | undefined;
  #sequence: Sequence | undefined;
  readonly #embeddings = new Map<number, Float32Array>();

  /** `model` drafts, and is closed with the drafter unless it is the target. */
  constructor(
    private readonly model: Engine,
    target: Engine,
    private readonly options: SuperposedOptions,
    corpus: () => Corpus | undefined = () => undefined,
  ) {
    this.#ngrams = new NgramModel(WEIGHTS, corpus);
    if (model !== target) this.#own = { sequence: model.open(), cached: new TokenBuffer() };
    this.#sequence = this.#own?.sequence;
  }

  begin(prompt: Int32Array): void {
    this.#ngrams.begin(prompt);
  }

  attach(target: Sequence): void {
    if (this.#own === undefined) this.#sequence = target;
  }

  observe({ committed }: Round): void {
    this.#ngrams.append(committed);
  }

  close(): void {
    this.#own?.sequence.close();
    if (this.#own !== undefined) this.model.close();
  }

  async draft(plan: Plan): Promise<DraftTree> {
    const { text } = this.#ngrams;
    const steps = Math.min(plan.depth, plan.nodes, this.model.context - text.length + 1);
    if (this.#sequence === undefined || steps < 1) return EMPTY_TREE;
    const nodes: Node[] = [];
    let drafts = await this.#grow(nodes, [-1], { tokens: this.#missing(text), score: "last" });
    const kept = this.#sequence.length;
    for (let step = 1; step < steps && !settled(nodes, drafts, plan.nodes); step++) {
      const tokens = Int32Array.of(nodes[drafts[0]].token);
      drafts = await this.#grow(nodes, drafts, { tokens, embeddings: this.#superposition(nodes, drafts) });
    }
    // The target's sequence is left as it was, that of a model holds the text, root included.
    this.#sequence.rewind(this.#own === undefined ? kept - 1 : kept);
    return likeliest(nodes, plan.nodes);
  }

  /** Rows that the sequence lacks of the text, the root at least; they will be kept. */
  #missing(text: Int32Array): Int32Array {
    if (this.#own === undefined) return text.slice(-1);
    const { sequence, cached } = this.#own;
    let shared = 0;
    while (shared < Math.min(sequence.length, text.length - 1) && cached.at(shared) === text[shared]) shared++;
    if (sequence.length > shared) sequence.rewind(shared);
    cached.truncate(shared);
    const missing = text.slice(shared);
    cached.append(missing);
    return missing;
  }

  /** Runs rows and keeps them; returns the drafts, as the nodes that they end with, likeliest first. */
  async #grow(nodes: Node[], drafts: readonly number[], rows: Rows): Promise<number[]> {
    const { drafts: most, alpha, temperature } = this.options;
    const scores = await this.#sequence!.forward({ ...rows, temperature, need: "candidates" });
    const { tokens, probabilities } = scores.top(0, Math.min(CANDIDATES * most, scores.vocab));
    this.#sequence!.keep(Int32Array.from(rows.tokens, (_, row) => row));
    const longer: Node[] = [];
    for (const draft of drafts) {
      const { depth, log } = nodes[draft] ?? { depth: 0, log: 0 };
      const ngram = this.#ngrams.interpolated(this.#context(nodes, draft), tokens, probabilities);
      tokens.forEach((token, i) => {
        const likely = weighted(1 - alpha, probabilities[i]) + weighted(alpha, ngram[i]);
        longer.push({ token, parent: draft, depth: depth + 1, log: log + likely });
      });
    }
    longer.sort((a, b) => b.log - a.log);
    return longer.slice(0, most).filter(({ log }) => log > -Infinity).map((node) => nodes.push(node) - 1);
  }

  /** The last tokens of a draft and of the text before it. */
  #context(nodes: readonly Node[], draft: number): number[] {
    const path: number[] = [];
    for (let at = draft; at >= 0 && path.length < WEIGHTS.length; at = nodes[at].parent) path.unshift(nodes[at].token);
    const { text } = this.#ngrams;
    return [...text.subarray(text.length - Math.min(text.length, WEIGHTS.length - path.length)), ...path];
  }

  /** [width] Σγ·E(x). */
  #superposition(nodes: readonly Node[], drafts: readonly number[]): Float32Array {
    const most = nodes[drafts[0]].log;
    const weights = drafts.map((draft) => Math.exp(nodes[draft].log - most));
    const all = weights.reduce((a, b) => a + b);
    const sum = new Float32Array(this.model.source.spec.width);
    drafts.forEach((draft, i) => {
      const embedding = this.#embedding(nodes[draft].token);
      for (let j = 0; j < sum.length; j++) sum[j] += weights[i] / all * embedding[j];
    });
    return sum;
  }

  #embedding(token: number): Float32Array {
    let values = this.#embeddings.get(token);
    if (values === undefined) {
      values = this.model.source.tensor("embed.weight").floats(token, token + 1).slice();
      if (this.#embeddings.size >= 1024) this.#embeddings.clear();
      this.#embeddings.set(token, values);
    }
    return values;
  }
}

/** Of p to the power of a weight, the logarithm. */
function weighted(weight: number, p: number): number {
  return weight === 0 ? 0 : weight * Math.log(p);
}

/** Whether no longer draft can be among the `most` likeliest nodes. */
function settled(nodes: readonly Node[], drafts: readonly number[], most: number): boolean {
  if (drafts.length === 0) return true;
  const { log } = nodes[drafts[0]];
  return nodes.filter((node) => node.log > log).length >= most;
}

/** The tree of the `most` likeliest nodes: none is likelier than its parent. */
function likeliest(nodes: readonly Node[], most: number): DraftTree {
  const order = [...nodes.keys()].sort((a, b) => nodes[b].log - nodes[a].log || a - b).slice(0, most);
  const place = new Map(order.map((node, at) => [node, at]));
  return {
    tokens: Int32Array.from(order, (node) => nodes[node].token),
    parents: Int32Array.from(order, (node) => place.get(nodes[node].parent) ?? -1),
    law: "point",
    q: () => undefined,
    confidence: Float64Array.from(order, (node) => Math.exp(nodes[node].log - (nodes[nodes[node].parent]?.log ?? 0))),
  };
}

export default definePlugin({
  kind: "drafter",
  name: "superposed",
  summary: "several drafts from one row a step, fed the sum of their last embeddings (the target or FILE)",
  argument: "[FILE]",
  paper: {
    title: "Superposed Decoding: Multiple Generations from a Single Autoregressive Inference Pass",
    year: 2024,
    arxiv: "2405.18400",
  },
  options: {
    drafts: { type: "integer", default: 3, min: 1, max: 21, summary: "drafts that go on side by side" },
    alpha: { type: "number", default: 0.54, min: 0, max: 1, summary: "what n-grams count beside the model" },
    temperature: { type: "number", default: 0.06, min: 0.01, max: 10, summary: "of the model's soft-max" },
  },
  async create(options, file, context) {
    const { target } = context;
    const model = file === "" ? target : await context.loadModel(file);
    if (!model.can.embeddings) {
      throw new HunchError("unavailable", `${model.name} takes no rows of embeddings from superposed`, {
        file: model.source.path,
        hint: "use another backend, or the drafter model",
      });
    }
    return new SuperposedDrafter(model, target, options, () => context.corpus?.());
  },
});
