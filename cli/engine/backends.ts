// Which backend runs a model. Each is loaded when it is tried: none costs anything to those who use another.
import { availableParallelism } from "node:os";
import type { Backend, Engine, Offer } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import { type Backends, foresee, loadFastest } from "./auto.ts";
import { withCache } from "../cache/cache.ts";
import type { Choice, Options, Prospect } from "./choice.ts";
import { embedded } from "./embedded.ts";
import { contextOf } from "./methods.ts";
import { warn } from "../output/streams.ts";
import { closest } from "../../src/plugins/closest.ts";

const BUILT_IN: Backends = {
  onnx: async () => {
    const { libraryInPackage, setLibraryLocator } = await import("../../kernels/onnx/library.ts");
    const library = libraryInPackage();
    setLibraryLocator(async (cacheDir) =>
      library && await embedded(`node_modules/onnxruntime-node/${library}`, cacheDir)
    );
    return (await import("../../kernels/onnx/backend.ts")).onnxBackend;
  },
  webgpu: async () => {
    const { moduleInPackage, setModuleLocator } = await import("../../kernels/webgpu/adapter.ts");
    setModuleLocator((cacheDir) => embedded(`node_modules/webgpu/${moduleInPackage()}`, cacheDir));
    return (await import("../../kernels/webgpu/backend.ts")).webgpuBackend;
  },
  reference: async () => (await import("../../kernels/reference/backend.ts")).referenceBackend,
};

/** What `--backend` takes, plugins aside. */
export const backendNames: readonly string[] = ["auto", ...Object.keys(BUILT_IN)];

/**
 * Loads `source` on the backend that `spec` names: `auto`, `onnx`, `onnx:cuda`, `reference` or a plugin's. `chosen` is
 * told what `auto` came to, and whether that is new.
 */
export async function loadEngine(
  spec: string,
  source: ModelSource,
  options: Options,
  registry: Registry,
  chosen?: (choice: Choice, fresh: boolean) => void,
): Promise<Engine> {
  options = withinReason(source, options);
  return await withCache(options.cacheDir, async (cacheDir) => {
    if (spec === "auto") {
      const { engine, choice, fresh } = await loadFastest(source, { ...options, cacheDir }, { backends: BUILT_IN });
      chosen?.(choice, fresh);
      return engine;
    }
    const [name, provider] = split(spec);
    return await (await find(name, spec, registry)).load(source, { ...options, cacheDir, provider });
  });
}

const said = new Set<string>();

/** Not more threads than there are cores, and a word about texts longer than the model was made for; each told once. */
function withinReason({ title, spec }: ModelSource, options: Options): Options {
  const { threads = 1, context = 0 } = options;
  const cores = availableParallelism();
  const notes = [
    threads > cores ? `--threads ${threads}: there are ${cores} processors, so ${cores} threads are used` : "",
    context > spec.context
      ? `--context ${context}: ${title} was made for ${spec.context} tokens and may say anything beyond`
      : "",
  ].filter((note) => note !== "" && !said.has(note));
  for (const note of notes) {
    said.add(note);
    warn(note);
  }
  return threads > cores ? { ...options, threads: cores } : options;
}

/** What `auto` takes, or would try, without loading the model. */
export function foreseeChoice(source: ModelSource, options: Options): Promise<Choice | Prospect> {
  return foresee(source, options, { backends: BUILT_IN });
}

/** What each built-in backend would make of a model, as far as it can tell without loading it. */
export async function backendOffers(source: ModelSource): Promise<{ backend: string; offers: readonly Offer[] }[]> {
  const backends = await Promise.all(Object.values(BUILT_IN).map((open) => open()));
  return backends.flatMap(({ name, offers }) => offers ? [{ backend: name, offers: offers(source) }] : []);
}

function split(spec: string): [name: string, provider: string | undefined] {
  const colon = spec.indexOf(":");
  return colon < 0 ? [spec, undefined] : [spec.slice(0, colon), spec.slice(colon + 1)];
}

async function find(name: string, spec: string, registry: Registry): Promise<Backend> {
  if (Object.hasOwn(BUILT_IN, name)) return BUILT_IN[name]();
  const plugins = registry.list("backend").map((plugin) => plugin.name);
  if (plugins.includes(name)) return registry.resolve("backend", spec, contextOf(registry));
  const names = [...backendNames, ...plugins];
  const near = closest(name, names);
  throw new HunchError("usage", `there is no backend ${JSON.stringify(name)}`, {
    hint: near ? `did you mean ${near}?` : `there are ${names.join(", ")}`,
  });
}
