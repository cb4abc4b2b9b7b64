// A store whose store.json is missing or damaged: what its texts say of it.
import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { HunchError } from "../errors.ts";
import { DEFAULT_LIMIT, MANIFEST, type Manifest, writeManifest } from "./manifest.ts";
import { Segment, segmentNames } from "./segment.ts";
import { BlockCache, DamagedError, unreadable } from "./words.ts";

/** Written anew, with a word to `warn`. Throws HunchError where no text can be read either. */
export function manifestAgain(folder: string, warn: (line: string) => void): Manifest {
  const cache = new BlockCache(2);
  const names = segmentNames(folder);
  const bytes = names.reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  for (const name of names) {
    try {
      const segment = Segment.open(join(folder, name), name, cache);
      segment.close();
      const { tokenizer, vocab, model } = segment.header;
      const manifest = { tokenizer, vocab, model, limit: Math.max(DEFAULT_LIMIT, bytes) };
      writeManifest(folder, manifest);
      const what = `the ${MANIFEST} of the store ${basename(folder)}`;
      warn(`${what} was damaged and is made again, with a limit of ${Math.ceil(manifest.limit / 1e6)} MB (${folder})`);
      return manifest;
    } catch (error) {
      const { code } = error as { code?: string };
      if (!(error instanceof DamagedError) && code !== "ENOENT") throw unreadable(join(folder, name), error);
    }
  }
  throw new HunchError("input", `the store ${basename(folder)} is damaged, and nothing in it can be read`, {
    file: join(folder, MANIFEST),
    hint: `remove it: hunch store remove ${basename(folder)}`,
  });
}
