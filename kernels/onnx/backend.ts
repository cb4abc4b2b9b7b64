// Loads a model on ONNX Runtime: the library, the converted model from the cache or made now, the session.
import { utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Backend, EngineOptions } from "../../src/backend.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { conversionStep } from "../../src/room.ts";
import { interpolateCost } from "../cost.ts";
import { contextLength } from "../rows.ts";
import { physicalCores } from "../threads.ts";
import { type Measured, readCalibration } from "../calibration.ts";
import { blockAttention } from "./attention/blocks.ts";
import { CACHE_HINT, type Container, readContainer, writeContainer } from "./container.ts";
import { convertedContainer, decoderOf, dialectOf, GRAPH, offersOf, weightBytes } from "./conversion.ts";
import { CONVERSION } from "../converted.ts";
import { OnnxEngine } from "./engine.ts";
import { libraryPath } from "./library.ts";
import { checkProvider, saturates } from "./self-test.ts";
import { Runtime, type Session } from "./runtime.ts";

export const PROVIDERS = ["cpu", "webgpu", "cuda", "coreml", "dml"] as const;

export interface OnnxOptions extends EngineOptions {
  /** As of a session; for a look at where the time of passes goes. */
  readonly profile?: string;
}

export const onnxBackend: Backend & { load(source: ModelSource, options: OnnxOptions): Promise<OnnxEngine> } = {
  name: "onnx",
  offers: offersOf,
  async load(source: ModelSource, options: OnnxOptions): Promise<OnnxEngine> {
    const provider = options.provider ?? "cpu";
    if (!PROVIDERS.some((known) => known === provider)) {
      throw new HunchError("usage", `there is no execution provider ${provider}`, {
        hint: `use one of ${PROVIDERS.join(", ")}`,
      });
    }
    const context = contextLength(source, options.context);
    const threads = options.threads ?? physicalCores();
    const runtime = await Runtime.load(await libraryPath(options.cacheDir));
    const model = await source.hash(options.cacheDir, (fraction) => options.progress?.("reading", fraction));
    const running = { model, provider, threads, strict: options.strict };
    const format = options.format !== "auto"
      ? options.format
      : source.converted?.format ?? chosenFormat(options, running);
    const open = (provider: string) => (inside: boolean): Session => {
      const container = convert(source, format, model, provider, inside, options);
      return runtime.session(container.graph, {
        threads,
        provider,
        profile: options.profile,
        config: {
          "session.model_external_initializers_file_folder_path": dirname(container.path),
          ...(format === "int8" && saturates(runtime) ? { "session.x64quantprecision": "1" } : {}),
        },
      });
    };
    const engine = (provider: string) =>
      new OnnxEngine({
        source,
        format,
        provider,
        context,
        strict: options.strict,
        runtime,
        open: open(provider),
        blocks: dialectOf(provider).attention === blockAttention,
      }, {
        cacheDir: options.cacheDir,
        measured: { ...running, format },
        progress: options.progress,
      });
    const loaded = engine(provider);
    if (provider !== "cpu") await checkProvider(loaded, engine("cpu"));
    return loaded;
  },
};

/** The converted model: itself, or from the cache, or made and put there. */
function convert(
  source: ModelSource,
  format: WeightFormat,
  hash: string,
  provider: string,
  inside: boolean,
  options: EngineOptions,
): Container {
  const dialect = dialectOf(provider);
  if (source.converted) return convertedContainer(source, source.converted, format, dialect, inside);
  // A window as long as the context is left out of the spec, so that the graph of a file depends on the context, too.
  const windows = new Set(source.spec.layers.flatMap(({ attention: { window } }) => window ?? []));
  const own = dialect === dialectOf("cpu") ? [] : [provider];
  const name = [hash.slice(0, 24), format, ...own, ...[...windows].map((window) => `w${window}`), CONVERSION, GRAPH]
    .join("-");
  const path = join(options.cacheDir, "models", `${name}.hunch`);
  const cached = readContainer(path, inside);
  if (cached) {
    touch(path);
    return cached;
  }
  const plain = decoderOf(source, format, dialect);
  const blocks = dialect.attention === blockAttention;
  const step = conversionStep({ title: source.title, path, bytes: weightBytes(plain), hint: CACHE_HINT });
  const written = writeContainer(path, plain, {
    inside: blocks ? decoderOf(source, format, dialect, true) : undefined,
    progress: (fraction) => options.progress?.(step, fraction),
  });
  return inside ? readContainer(path, inside)! : written;
}

/** The cache throws out what was used longest ago. */
function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // A cache that may only be read works as well.
  }
}

/** What `auto` is: `exact`, unless others were measured beside it and the options choose one of them. */
function chosenFormat({ cacheDir, chooseFormat }: EngineOptions, running: Omit<Measured, "format">): WeightFormat {
  if (chooseFormat === undefined) return "exact";
  const costs = new Map<WeightFormat, (rows: number) => number>();
  for (const format of WEIGHT_FORMATS) {
    const kept = readCalibration(cacheDir, { ...running, format });
    if (kept) costs.set(format, (rows) => interpolateCost(kept.points, rows));
  }
  return costs.has("exact") && costs.size > 1 ? chooseFormat(costs) : "exact";
}
