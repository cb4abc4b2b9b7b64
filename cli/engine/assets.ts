// Files that come with hunch: the default model. In the source tree they lie beside the code; a standalone binary
// carries them, and scripts/build.ts puts a module in place of cli/engine/embedded.ts that says where.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { HunchError } from "../../src/errors.ts";
import { withCache } from "../cache/cache.ts";
import { embedded } from "./embedded.ts";

const DEFAULT_MODEL = "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

/** The model that runs when none is named. Throws HunchError where this build has none. */
export async function defaultModel(cacheDir: string): Promise<string> {
  const carried = await withCache(cacheDir, (folder) => embedded(`models/${DEFAULT_MODEL}`, folder));
  const path = carried ?? besideTheCode(`../../models/${DEFAULT_MODEL}`);
  if (path !== undefined) return path;
  throw new HunchError("usage", "this build of hunch carries no model", { hint: "name one with --model FILE" });
}

function besideTheCode(relative: string): string | undefined {
  const url = new URL(relative, import.meta.url);
  if (url.protocol !== "file:") return undefined;
  const path = fileURLToPath(url);
  return existsSync(path) ? path : undefined;
}
