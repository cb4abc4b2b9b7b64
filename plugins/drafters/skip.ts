// skip: the target drafts with some of its attention and feed-forward blocks left out, and verifies with all of them.
// Draft & Verify: Lossless Large Language Model Acceleration via Self-Speculative Decoding (Zhang et al., 2023, arXiv
// 2309.08168).
//
// Which blocks: sets of them are tried by Bayesian optimisation, and the one that decodes fastest stands, as in the paper.
// The paper times the decoding of training texts with each of 1000 sets; here the time is calculated from what a draft would
// say at each place of texts that the target wrote itself, and from passes that were timed. The set is searched for once a
// model and kept. Or name the blocks: `skip?attention=10-14&feedForward=11`.
//
// How long to draft, the paper's threshold that adapts, is the controller `draft-exit`. Its drafts are greedy or sampled as
// the target samples; here any shape draws them. Memory: none but a tree's rows in the target's own cache.
import type { Skip } from "../../src/backend.ts";
import { BlockSearch, skipOf } from "../../src/draft/block-search.ts";
import { HunchError } from "../../src/errors.ts";
import { definePlugin, type PluginContext } from "../../src/plugins/plugin.ts";
import { BEGINNINGS, selfTexts } from "./block-texts.ts";
import { KnownTexts, timePasses } from "./drafting-speed.ts";
import { kept, readSkip } from "./kept.ts";
import { refuseWithout, SelfProposer } from "./self.ts";
import { drafterOf } from "./with-shape.ts";

/** Tokens of each text that sets are judged by. */
const ANSWER = 24;
/** What drafts are judged with: the public code's. */
const LENGTH = { most: 8, threshold: 0.8 };
/** Sets that are drawn at random before the first is chosen by what is known. */
const DRAWN = 8;

/** The set that decodes texts after these beginnings fastest, of so many. */
export async function searchBlocks(
  { target, progress }: Pick<PluginContext, "target" | "progress">,
  beginnings: readonly string[],
  sets: number,
  label = "",
): Promise<Skip> {
  const layers = target.source.spec.layers.length;
  const step = `trying which blocks to leave out${label}`;
  progress?.(step, 0);
  const texts = await KnownTexts.open(target, await selfTexts(target, beginnings, ANSWER));
  try {
    const costs = await timePasses(target, 1 + LENGTH.most);
    const search = new BlockSearch(layers, Array.from({ length: layers }, (_, layer) => layer), undefined, "skip");
    for (let i = 0; i < sets; i++) {
      const blocks = i < DRAWN ? search.random() : search.promising();
      search.tell(blocks, await texts.speed(skipOf(blocks), costs, LENGTH));
      progress?.(step, (i + 1) / sets);
    }
    return skipOf(search.best!.blocks);
  } finally {
    texts.close();
  }
}

/** Of `10-12,14` the layers 10, 11, 12 and 14. Throws HunchError("usage") where it is no such list of this model's. */
export function layersOf(list: string, layers: number): number[] {
  const found = new Set<number>();
  for (const part of list.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === undefined || first > last || last >= layers) {
      throw new HunchError("usage", `${JSON.stringify(part)} names no layers of this model`, {
        hint: `write numbers from 0 to ${layers - 1}, such as 1,${Math.max(1, layers - 2)}-${layers - 1}`,
      });
    }
    for (let layer = first; layer <= last; layer++) found.add(layer);
  }
  return [...found].sort((a, b) => a - b);
}

const beginnings = Object.values(BEGINNINGS).map(([first]) => first);

export const skipProposer = definePlugin({
  kind: "proposer",
  name: "skip",
  summary: "the target with attention and feed-forward blocks left out, those that cost least",
  paper: {
    title: "Draft & Verify: Lossless Large Language Model Acceleration via Self-Speculative Decoding",
    year: 2023,
    arxiv: "2309.08168",
  },
  options: {
    attention: {
      type: "string",
      default: "",
      summary: "layers without attention, such as 10-14,20; searched where empty",
    },
    feedForward: { type: "string", default: "", summary: "layers without feed-forward; searched where empty" },
    sets: { type: "integer", default: 64, min: 1, max: 1000, summary: "sets of blocks that the search tries" },
  },
  async create({ attention, feedForward, sets }, _, context) {
    const { target } = context;
    refuseWithout(target, "skip", "skip");
    const layers = target.source.spec.layers.length;
    const named = { attention: layersOf(attention, layers), feedForward: layersOf(feedForward, layers) };
    const skip = named.attention.length + named.feedForward.length > 0 ? named : await kept(
      context,
      ["skip", sets],
      (fields) => readSkip(fields, layers),
      () => searchBlocks(context, beginnings, sets),
    );
    return new SelfProposer("skip", target, () => skip);
  },
});

export default drafterOf(skipProposer);
