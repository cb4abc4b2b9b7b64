// The state folder: what a user made and nobody can make again, which is therefore not in the cache.
import { isAbsolute, join } from "node:path";

/** $XDG_STATE_HOME, or the platform's place; undefined where there is no home. Nothing is made. */
export function stateFolder(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return join(env.XDG_STATE_HOME, "hunch");
  if (process.platform === "win32") return env.LOCALAPPDATA && join(env.LOCALAPPDATA, "hunch", "state");
  if (!env.HOME) return undefined;
  return process.platform === "darwin"
    ? join(env.HOME, "Library", "Application Support", "hunch")
    : join(env.HOME, ".local", "state", "hunch");
}
