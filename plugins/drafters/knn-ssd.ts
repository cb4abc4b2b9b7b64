// knn-ssd: the blocks that the target leaves out of its drafts are those that suit texts like the prompt.
// KNN-SSD: Enabling Dynamic Self-Speculative Decoding via Nearest Neighbor Layer Set Optimization (Song et al., 2025, arXiv
// 2505.16162).
//
// As there: for each of five kinds of text (summaries, sums, translations, stories, SQL) the blocks are searched for by
// Bayesian optimisation (see `skip`), and the kind is known by anchors, the hidden state that the head reads, the mean over a
// text of that kind. A prompt's own mean is compared with all anchors, and the kind of the nearest by cosine says what is
// left out. The paper chooses ten anchors of a kind among the means of a thousand texts by clustering; here there are four
// texts of a kind, and each is an anchor. Sets and anchors are made once a model and kept. Of a conversation that goes on,
// only the tokens that are new are looked at.
//
// The public code stops a draft behind a token less likely than 0.8, at most 12: `confidence?published=true&threshold=0.8`.
import type { Engine, Skip, Tap } from "../../src/backend.ts";
import type { States } from "../../src/controller.ts";
import type { Drafter } from "../../src/drafter.ts";
import { ProposedDrafter } from "../../src/draft/proposed.ts";
import type { Fields } from "../../src/fields.ts";
import { cosine } from "../../src/math/cosine.ts";
import { definePlugin, type PluginContext } from "../../src/plugins/plugin.ts";
import type { Sampling } from "../../src/sampling.ts";
import type { TreeShape } from "../../src/shape.ts";
import { BEGINNINGS } from "./block-texts.ts";
import { kept, readSkip } from "./kept.ts";
import { refuseWithout, SelfProposer } from "./self.ts";
import { searchBlocks } from "./skip.ts";

/** One kind of text. */
export interface Kind extends Skip {
  /** [anchors][width] */
  readonly anchors: readonly (readonly number[])[];
}

export class KnnDrafter extends ProposedDrafter implements Drafter {
  readonly taps: readonly Tap[] = ["head"];
  readonly #width: number;
  readonly #kinds: readonly Kind[];
  readonly #chosen: { skip: Skip };
  /** [width] Of the states of this prompt. */
  readonly #sum: Float64Array;

  constructor(engine: Engine, form: TreeShape, kinds: readonly Kind[]) {
    const chosen: { skip: Skip } = { skip: kinds[0] };
    super("knn-ssd", new SelfProposer("knn-ssd", engine, () => chosen.skip), form);
    this.#width = engine.source.spec.width;
    this.#kinds = kinds;
    this.#chosen = chosen;
    this.#sum = new Float64Array(this.#width);
  }

  /** What is left out of drafts of this text. */
  get skip(): Skip {
    return this.#chosen.skip;
  }

  override begin(prompt: Int32Array, sampling: Sampling): void {
    super.begin(prompt, sampling);
    this.#sum.fill(0);
  }

  observePrompt(_from: number, _candidates: unknown, states: States): void {
    states.get("head")!.forEach((value, i) => this.#sum[i % this.#width] += value);
    // The sum points where the mean does.
    const near = (kind: Kind) => Math.max(...kind.anchors.map((anchor) => cosine(anchor, this.#sum)));
    this.#chosen.skip = this.#kinds.reduce((a, b) => near(b) > near(a) ? b : a);
  }
}

/** The mean of what the head reads, over a text's tokens. */
async function meanState(engine: Engine, text: string): Promise<number[]> {
  const { tokenizer, spec: { width } } = engine.source;
  const tokens = tokenizer.encode(text, { begin: true });
  const sequence = engine.open();
  try {
    const mean = new Array<number>(width).fill(0);
    for (let from = 0; from < tokens.length; from += engine.maxRows) { // a pass hands out states of so many rows
      const part = tokens.slice(from, from + engine.maxRows);
      const scores = await sequence.forward({ tokens: part, taps: ["head"], score: "last", need: "argmax" });
      scores.states!("head").forEach((value, i) => mean[i % width] += value / tokens.length);
      sequence.keep(Int32Array.from(part, (_, row) => row));
    }
    return mean;
  } finally {
    sequence.close();
  }
}

function readKind(fields: Fields, { layers, width }: Engine["source"]["spec"]): Kind {
  const anchors = fields.list("anchors").map((anchor) => {
    const whole = Array.isArray(anchor) && anchor.length === width && anchor.every(Number.isFinite);
    if (!whole) throw fields.wrong("anchors", `lists of ${width} numbers`);
    return anchor as number[];
  });
  return { ...readSkip(fields, layers.length), anchors };
}

async function kindOf(context: PluginContext, name: string, texts: readonly string[], sets: number): Promise<Kind> {
  const { target } = context;
  return await kept(context, ["knn-ssd", name, sets], (fields) => readKind(fields, target.source.spec), async () => {
    const skip = await searchBlocks(context, texts, sets, `: ${name}`);
    const anchors: number[][] = [];
    for (const text of texts) anchors.push(await meanState(target, text));
    return { ...skip, anchors };
  });
}

export default definePlugin({
  kind: "drafter",
  name: "knn-ssd",
  summary: "the target with blocks left out that suit texts like the prompt",
  paper: {
    title: "KNN-SSD: Enabling Dynamic Self-Speculative Decoding via Nearest Neighbor Layer Set Optimization",
    year: 2025,
    arxiv: "2505.16162",
  },
  options: {
    sets: {
      type: "integer",
      default: 32,
      min: 1,
      max: 1000,
      summary: "sets of blocks that are tried for each kind of text",
    },
    shape: { type: "string", default: "chain", summary: "tree shape, as in `hunch plugin list`" },
  },
  async create({ sets, shape }, _, context) {
    for (const ability of ["skip", "taps"] as const) refuseWithout(context.target, ability, "knn-ssd");
    const form = await context.resolve("shape", shape);
    const kinds: Kind[] = [];
    for (const [name, texts] of Object.entries(BEGINNINGS)) kinds.push(await kindOf(context, name, texts, sets));
    return new KnnDrafter(context.target, form, kinds);
  },
});
