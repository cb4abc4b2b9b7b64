// Which backend runs a model: the one that is named, or the fastest.
import { availableParallelism } from "node:os";
import type { Backend, Engine, Offer } from "../../src/backend.ts";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { suggestion } from "../../src/suggestion.ts";
import type { Registry } from "../../src/plugins/registry.ts";
import { parseSpec } from "../../src/plugins/method-spec.ts";
import { backends } from "../../kernels/backends.ts";
import { type Backends, foresee, loadFastest } from "./auto.ts";
import { withCache } from "../cache/cache.ts";
import type { Choice, Options, Prospect } from "./choice.ts";
import { contextOf } from "./methods.ts";
import { warn } from "../output/streams.ts";

const AUTO = "auto";

/** What `--backend` takes, plugins of files aside. */
export const backendNames: readonly string[] = [AUTO, ...backends.map(({ name }) => name)];

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
    if (spec === AUTO) {
      const setting = { backends: backendsOf(registry) };
      const { engine, choice, fresh } = await loadFastest(source, { ...options, cacheDir }, setting);
      chosen?.(choice, fresh);
      return engine;
    }
    const provider = parseSpec(spec).argument || undefined;
    return await (await backendOf(spec, registry)).load(source, { ...options, cacheDir, provider });
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

/** Throws HunchError where there is no such backend. Whether it runs a model, only `loadEngine` tells. */
export async function refuseUnknownBackend(spec: string, registry: Registry): Promise<void> {
  if (spec !== AUTO) await backendOf(spec, registry);
}

/** What `auto` takes, or would try, without loading the model. */
export function foreseeChoice(source: ModelSource, options: Options, registry: Registry): Promise<Choice | Prospect> {
  return foresee(source, options, { backends: backendsOf(registry) });
}

/** What each backend would make of a model, as far as it can tell without loading it. */
export async function backendOffers(
  source: ModelSource,
  registry: Registry,
): Promise<{ backend: string; offers: readonly Offer[] }[]> {
  const made = await Promise.all(Object.values(backendsOf(registry)).map((make) => make()));
  return made.flatMap(({ name, offers }) => offers ? [{ backend: name, offers: offers(source) }] : []);
}

/** Every backend of the registry, each made when it is asked for. */
function backendsOf(registry: Registry): Backends {
  return Object.fromEntries(registry.list("backend").map(({ name }) => [name, () => backendOf(name, registry)]));
}

function backendOf(spec: string, registry: Registry): Promise<Backend> {
  const { name } = parseSpec(spec);
  const names = registry.list("backend").map((plugin) => plugin.name);
  if (names.includes(name)) return registry.resolve("backend", spec, contextOf(registry));
  throw new HunchError("usage", `there is no backend ${JSON.stringify(name)}`, {
    hint: suggestion(name, [AUTO, ...names]),
  });
}
