// Contexts of methods on the reference engine, which lets them look inside, for tests.
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { builtin } from "../../plugins/builtin.ts";
import type { Engine } from "../../src/backend.ts";
import { openModel } from "../../src/model/open.ts";
import type { Plugin, PluginContext } from "../../src/plugins/plugin.ts";
import { Registry } from "../../src/plugins/registry.ts";
import { fixture } from "../kernels/support/golden.ts";

/** Five layers that tell stories. */
export async function storyEngine(): Promise<Engine> {
  const source = await openModel(fixture("stories260k/stories260K.bin"));
  return await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
}

export function contextOf(target: Engine, more: readonly Plugin[] = [], cacheDir?: string): PluginContext {
  const registry = new Registry([...builtin, ...more]);
  const context: PluginContext = {
    target,
    cacheDir,
    loadModel: () => Promise.reject(new Error("no other model")),
    resolve: (kind, spec) => registry.resolve(kind, spec, context),
  };
  return context;
}
