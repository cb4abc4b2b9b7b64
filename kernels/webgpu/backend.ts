// Loads a model on a GPU: the adapter, its self-test, the weights.
import type { Backend, EngineOptions } from "../../src/backend.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { originalOf } from "../original.ts";
import { contextLength } from "../rows.ts";
import { findAdapter, findHardware } from "./adapter.ts";
import { buildDecoder } from "./decoder.ts";
import { weightBytes } from "./matrix.ts";
import { Device } from "./device.ts";
import { WebGpuEngine } from "./engine.ts";
import { selfTest } from "./self-test.ts";

const INT8 = "the webgpu backend computes in float32 from a file's own numbers";

export const webgpuBackend: Backend = {
  name: "webgpu",
  offers(source) {
    return WEIGHT_FORMATS.map((format) => {
      if (format === "int8") return { format, refusal: INT8 };
      try {
        return { format, bytes: weightBytes(readable(source, format), format === "exact") };
      } catch (error) {
        if (error instanceof HunchError) return { format, refusal: error.message };
        throw error;
      }
    });
  },
  hardware: findHardware,
  async load(source: ModelSource, options: EngineOptions): Promise<WebGpuEngine> {
    if (options.format === "int8") {
      throw new UnsupportedError(`${INT8} and has no format int8`, { hint: "use --format exact, or --backend onnx" });
    }
    const format: WeightFormat = options.format !== "auto" ? options.format : source.converted?.format ?? "exact";
    const weights = readable(source, format);
    const context = contextLength(source, options.context);
    const device = await Device.open(await findAdapter(options.provider, options.cacheDir));
    try {
      const { exact } = await device.tested(() => selfTest(device));
      const told = (fraction: number) => options.progress?.("loading", fraction);
      const decoder = await buildDecoder(device, weights, format === "exact", told);
      await device.settle();
      return new WebGpuEngine({
        source,
        format,
        context,
        device,
        decoder,
        exact,
        cacheDir: options.cacheDir,
        measured: {
          model: options.cacheDir ? await source.hash(options.cacheDir) : "",
          format,
          provider: `webgpu ${device.provider} ${device.adapterName}`,
          threads: 0,
          strict: options.strict,
        },
        progress: options.progress,
      });
    } catch (error) {
      device.close();
      // Whatever does not fit here may fit elsewhere: the next backend is tried.
      if (error instanceof HunchError && error.kind === "unavailable" && !(error instanceof UnsupportedError)) {
        throw new UnsupportedError(error.message, { ...error.place, hint: error.hint });
      }
      throw error;
    }
  },
};

/** A source whose tensors can be read: of a converted file, the original's numbers. Throws HunchError where it has none. */
function readable(source: ModelSource, format: WeightFormat): ModelSource {
  return source.converted ? originalOf(source, source.converted, format) : source;
}
