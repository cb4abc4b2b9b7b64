// The methods at hand: those built in and those of plugin files, in one registry.
import process from "node:process";
import type { Engine } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import { Registry } from "../../src/plugins/registry.ts";
import type { Methods, PluginContext } from "../../src/plugins/plugin.ts";
import { errorPlace } from "../../src/plugins/place.ts";
import { backends } from "../../kernels/backends.ts";
import { builtin } from "../../plugins/builtin.ts";
import { complain } from "../output/failure.ts";

/** Who drafts where nobody names another: docs/drafters.md says why. */
export const DEFAULT_DRAFTER = "suffix";

/** Throws HunchError where a plugin file is missing, broken or takes a name that is taken. */
export async function openRegistry(files: readonly string[]): Promise<Registry> {
  const registry = new Registry([...builtin, ...backends]);
  if (files.length > 0) watchStray(files);
  for (const file of files) await registry.load(file);
  return registry;
}

/** What a plugin throws where nobody waits for it, in a timer or a promise of its own, ends hunch with one line. */
function watchStray(files: readonly string[]): void {
  const end = (error: unknown) => {
    const place = files.map((file) => errorPlace(error, file)).find(({ file }) => !files.includes(file));
    const told = place && new HunchError("input", `plugin (${place.file}) failed beside its methods: ${place.message}`);
    process.exit(complain(told ?? error, false));
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

/** What methods get to see, as in PluginContext; without a target, asking for one is refused. */
export function contextOf(
  registry: Registry,
  target?: Engine,
  loadModel?: PluginContext["loadModel"],
  corpus?: PluginContext["corpus"],
  found: Pick<PluginContext, "cacheDir" | "progress"> = {},
): PluginContext {
  const context: PluginContext = {
    get target() {
      return target ?? refuse("a target model");
    },
    loadModel: loadModel ?? (() => Promise.reject(refuse("other models"))),
    corpus,
    ...found,
    resolve: <K extends keyof Methods>(kind: K, spec: string) => registry.resolve(kind, spec, context),
  };
  return context;
}

function refuse(what: string): never {
  throw new HunchError("usage", `a backend is made before any model is open, and cannot use ${what}`);
}
