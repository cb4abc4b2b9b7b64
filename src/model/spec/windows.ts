// Which layers see only a window of the text.
import type { ModelFile } from "./architecture.ts";

/**
 * The window of layer `n`, by `layer_types` where the file has them, otherwise by the architecture's pattern, otherwise
 * (Qwen, SmolLM3) for layers from `max_window_layers` on, if the file uses windows at all.
 */
export function layerWindows(
  file: ModelFile,
  pattern?: { readonly windowed: (n: number) => boolean },
): (n: number) => { window?: number } {
  const { hyper } = file;
  // Converters write no windows for these, and llama.cpp computes none.
  if (!pattern && file.kind === "gguf") return () => ({ window: undefined });
  const size = hyper.integer(["attention.sliding_window", "sliding_window"], 0);
  const used = pattern !== undefined || hyper.flag(["use_sliding_window"], false);
  const count = hyper.integer(["block_count", "num_hidden_layers"]);
  const types = hyper.texts(["layer_types"], count) ?? patternOf(file, count);
  const first = hyper.integer(["max_window_layers"], 0);
  if (!used || size === 0) return () => ({ window: undefined });
  const windowed = (n: number) => {
    if (types && types[n] !== "sliding_attention" && types[n] !== "full_attention") {
      throw hyper.wrong("layer_types", `layers of type ${types[n].slice(0, 40)} are not supported`);
    }
    if (types) return types[n] === "sliding_attention";
    return pattern ? pattern.windowed(n) : n >= first;
  };
  return (n) => ({ window: windowed(n) ? size : undefined });
}

/** Newer GGUF files tell the pattern: a flag for each layer, or the period whose last layer sees everything. */
function patternOf({ hyper }: ModelFile, count: number): string[] | undefined {
  const found = hyper.find(["attention.sliding_window_pattern"]);
  if (!found) return undefined;
  const names = [found.name];
  const flags = typeof found.value === "number" ? undefined : hyper.numbers(names, count);
  const period = flags ? 0 : hyper.integer(names);
  return Array.from({ length: count }, (_, n) => {
    return (flags ? flags[n] !== 0 : (n + 1) % period !== 0) ? "sliding_attention" : "full_attention";
  });
}
