// Where the cache folder is: for converted models, calibrations and unpacked files. Everything in it can be made again.
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

/** $HUNCH_CACHE, or the platform's place for caches, or the temporary folder where there is no home. Nothing is made. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.HUNCH_CACHE) return env.HUNCH_CACHE;
  // "All paths set in these environment variables must be absolute", says its specification, and others be ignored.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "hunch");
  if (process.platform === "win32") {
    if (env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "hunch", "cache");
  } else if (env.HOME) {
    return process.platform === "darwin"
      ? join(env.HOME, "Library", "Caches", "hunch")
      : join(env.HOME, ".cache", "hunch");
  }
  return temporaryFolder();
}

/** Where the cache is where it cannot be anywhere else: one folder for each user. */
export function temporaryFolder(): string {
  const user = process.getuid?.();
  return join(tmpdir(), user === undefined ? "hunch" : `hunch-${user}`);
}
