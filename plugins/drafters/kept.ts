// What was found out about a model, kept in the cache folder by model, engine and how it was looked for. Not a method of its
// own.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Skip } from "../../src/backend.ts";
import { damaged, Fields, isWhole } from "../../src/fields.ts";
import { writeOutput } from "../../src/output-file.ts";
import type { PluginContext } from "../../src/plugins/plugin.ts";

/** Counts up where a search changes what it looks for. */
const VERSION = 1;

/**
 * What is kept under these words for this target, as `read` takes it from the file; where nothing is, or the file is not
 * what it should be, what `find` finds, which is kept from then on.
 */
export async function kept<T extends object>(
  { target, cacheDir }: PluginContext,
  words: readonly (string | number)[],
  read: (fields: Fields) => T,
  find: () => Promise<T>,
): Promise<T> {
  if (cacheDir === undefined) return await find();
  const { source, name, format } = target;
  const key = JSON.stringify([VERSION, await source.hash(cacheDir), name, format, ...words]);
  const file = join(cacheDir, "blocks", createHash("sha256").update(key).digest("hex").slice(0, 24) + ".json");
  try {
    return read(Fields.of(JSON.parse(readFileSync(file, "utf8")), (must, field) => damaged(file, must, field)));
  } catch {
    const found = await find();
    try {
      writeOutput(file, JSON.stringify({ model: source.title, ...found }), { folders: true });
    } catch {
      // a cache that cannot be written costs a search the next time, nothing else
    }
    return found;
  }
}

/** Blocks of a model with so many layers. */
export function readSkip(fields: Fields, layers: number): Skip {
  const of = (name: string) => {
    const list = fields.values[name];
    const whole = Array.isArray(list) && list.every((layer, i) => isWhole(layer, (list[i - 1] ?? -1) + 1, layers - 1));
    if (!whole) throw fields.wrong(name, "layers, ascending");
    return list as readonly number[];
  };
  return { attention: of("attention"), feedForward: of("feedForward") };
}
