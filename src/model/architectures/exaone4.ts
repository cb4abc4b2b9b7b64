// EXAONE 4.0: Unified Large Language Models Integrating Non-reasoning and Reasoning Modes (2025, arXiv:2507.11407): norms
// after the blocks, q and k normalised head by head; where it has windows, layers without one do not rotate.
import type { Architecture, ModelFile } from "../spec/architecture.ts";
import { decoderSpec } from "../spec/decoder.ts";
import { CORE, POST_NORM_NAMES, POST_NORMS, QK_NORMS } from "../spec/names.ts";
import { layerWindows } from "../spec/windows.ts";

export const exaone4: Architecture = {
  name: "exaone4",
  gguf: "exaone4",
  huggingFace: "exaone4",
  tensors: [...CORE, "layers.N.feedForward.gate.weight", ...POST_NORMS, ...QK_NORMS],
  names: { huggingFace: POST_NORM_NAMES },
  defaults: { huggingFace: { sliding_window: 4096 } },
  spec(file) {
    const window = layerWindows(file, patternOf(file));
    const hybrid = file.hyper.integer(["attention.sliding_window", "sliding_window"], 0) > 0;
    return decoderSpec(file, {
      name: "exaone4",
      rope: { interleaved: false },
      attention(n, { rope }) {
        const own = window(n);
        return { ...own, rope: hybrid && own.window === undefined ? undefined : rope };
      },
    });
  },
};

/** `LLLG` repeats local and global layers; a number is the period whose last layer is global. */
function patternOf({ hyper }: ModelFile) {
  const pattern = hyper.find(["sliding_window_pattern"])?.value;
  if (typeof pattern === "string") {
    if (!/^[LG]+$/.test(pattern)) throw hyper.wrong("sliding_window_pattern", "is not made of L and G");
    return { windowed: (n: number) => pattern[n % pattern.length] === "L" };
  }
  const every = hyper.integer(["sliding_window_pattern"], 4);
  return { windowed: (n: number) => (n + 1) % every !== 0 };
}
