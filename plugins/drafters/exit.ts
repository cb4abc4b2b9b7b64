// exit: the target drafts with its first layers alone, then its last norm and its head, and verifies with all of them.
// LayerSkip: Enabling Early Exit Inference and Self-Speculative Decoding (Elhoushi et al., 2024, arXiv 2404.16710), its
// self-speculative decoding.
//
// The paper's models are trained to be right early; this takes any, and few others are. The paper verifies with the last
// layers alone and goes on from the draft's states; here a verification is a whole pass, whose bits are those of plain
// decoding. With the controller `confidence?published=true&most=6` it is Kangaroo's double early exit (Liu et al., 2024,
// arXiv 2404.18911) but for the adapter, trained for each model, that Kangaroo puts before the head.
import { HunchError } from "../../src/errors.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import type { Skip } from "../../src/backend.ts";
import { SelfProposer } from "./self.ts";
import { drafterOf } from "./with-shape.ts";

/** All but the first `kept` of so many layers. */
export function skipAfter(kept: number, layers: number): Skip {
  const rest = Array.from({ length: Math.max(0, layers - kept) }, (_, i) => kept + i);
  return { attention: rest, feedForward: rest };
}

export const exitProposer = definePlugin({
  kind: "proposer",
  name: "exit",
  summary: "the target's first layers with its head",
  paper: {
    title: "LayerSkip: Enabling Early Exit Inference and Self-Speculative Decoding",
    year: 2024,
    arxiv: "2404.16710",
  },
  options: {
    layer: { type: "integer", default: 0, min: 0, max: 1000, summary: "layers that draft; 0: three quarters of them" },
  },
  create({ layer }, _, { target }) {
    const layers = target.source.spec.layers.length;
    if (layer >= layers) {
      throw new HunchError("usage", `after layer ${layer} there is no exit: the model has ${layers}`, {
        file: target.source.path,
        hint: `give exit?layer less than ${layers}`,
      });
    }
    const skip = skipAfter(layer === 0 ? Math.ceil(0.75 * layers) : layer, layers);
    return new SelfProposer("exit", target, () => skip);
  },
});

export default drafterOf(exitProposer);
