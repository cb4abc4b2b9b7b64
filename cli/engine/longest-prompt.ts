// How long a prompt may be, so that a file of any size is not read for nothing.
import { openCache } from "../cache/cache.ts";
import type { TextLimit } from "../input/text.ts";
import type { ModelOptions, SamplingOptions } from "../options.ts";
import { openNamed } from "./models.ts";

/** How long a prompt may be with these options. */
export function longestPrompt(
  { model, context, overflow }: Pick<ModelOptions, "model" | "context"> & Pick<SamplingOptions, "overflow">,
): TextLimit {
  return { most: () => contextBytes(model, context), keepEnd: overflow === "truncate" };
}

/**
 * Most bytes that a text can have to fit the context: as if all its tokens were the longest of the vocabulary, and a
 * normaliser took three quarters away. Opens the model, but loads nothing.
 */
async function contextBytes(model: string | undefined, context: number | undefined): Promise<number> {
  const source = await openNamed(model, openCache(), { context, warn: undefined });
  try {
    const { tokenizer } = source;
    let longest = 1;
    for (let token = 0; token < tokenizer.vocab; token++) {
      longest = Math.max(longest, tokenizer.bytes(token).length);
    }
    return 4 * longest * (context ?? source.spec.context);
  } finally {
    source.close();
  }
}
