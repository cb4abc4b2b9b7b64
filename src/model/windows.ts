// Which layers see only a window of the text.
import type { ModelFile } from "./architecture.ts";

/**
 * The window of layer `n`, by `layer_types` where the file has them, otherwise by the architecture's pattern, otherwise
 * (Qwen, SmolLM3) for layers from `max_window_layers` on, if the file uses windows at all.
 */
export function layerWindows(
  file: ModelFile,
  pattern?: { readonly every: number; readonly windowed: (n: number) => boolean },
): (n: number) => { window?: number } {
  const { hyper } = file;
  const size = hyper.integer(["attention.sliding_window", "sliding_window"], 0);
  const used = pattern !== undefined || hyper.flag(["use_sliding_window"], false);
  if (!used || size === 0) return () => ({ window: undefined });
  const count = hyper.integer(["block_count", "num_hidden_layers"]);
  const types = hyper.texts(["layer_types"], count);
  const first = hyper.integer(["max_window_layers"], 0);
  const windowed = (n: number) => {
    if (types) return types[n] === "sliding_attention";
    return pattern ? pattern.windowed(n) : n >= first;
  };
  return (n) => ({ window: windowed(n) ? size : undefined });
}
