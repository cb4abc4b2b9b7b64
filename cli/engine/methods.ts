// The methods at hand: those built in and those of plugin files, in one registry.
import type { Engine } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import { Registry } from "../../src/plugins/registry.ts";
import type { Methods, PluginContext } from "../../src/plugins/plugin.ts";
import { setSolverLocator } from "../../src/math/transport.ts";
import { builtin } from "../../plugins/builtin.ts";
import { cacheFolder } from "../cache/cache.ts";
import { embedded } from "./embedded.ts";

/** Throws HunchError where a plugin file is missing, broken or takes a name that is taken. */
export async function openRegistry(files: readonly string[]): Promise<Registry> {
  setSolverLocator(() => embedded("node_modules/highs/build/highs.wasm", cacheFolder()));
  const registry = new Registry(builtin);
  for (const file of files) await registry.load(file);
  return registry;
}

/** What methods get to see. `loadModel` as in PluginContext; without a target, asking for one is refused. */
export function contextOf(
  registry: Registry,
  target?: Engine,
  loadModel?: (path: string) => Promise<Engine>,
): PluginContext {
  const context: PluginContext = {
    get target() {
      return target ?? refuse("a target model");
    },
    loadModel: loadModel ?? (() => Promise.reject(refuse("other models"))),
    resolve: <K extends keyof Methods>(kind: K, spec: string) => registry.resolve(kind, spec, context),
  };
  return context;
}

function refuse(what: string): never {
  throw new HunchError("usage", `a backend is made before any model is open, and cannot use ${what}`);
}
