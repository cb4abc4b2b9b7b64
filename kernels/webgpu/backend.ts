// Loads a model on a GPU: the adapter, its self-test, the weights.
import type { Backend, EngineOptions, WeightFormat } from "../../src/backend.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { contextLength } from "../rows.ts";
import { findAdapter, findHardware } from "./adapter.ts";
import { buildDecoder } from "./decoder.ts";
import { weightBytes } from "./matrix.ts";
import { Device } from "./device.ts";
import { WebGpuEngine } from "./engine.ts";
import { selfTest } from "./self-test.ts";

const CONVERTED = "the weights are in the form of another engine";

export const webgpuBackend: Backend = {
  name: "webgpu",
  offers(source) {
    if (source.converted) return [{ format: source.converted.format, refusal: CONVERTED }];
    return [
      { format: "exact", bytes: weightBytes(source, true) },
      { format: "float32", bytes: weightBytes(source, false) },
      { format: "int8", refusal: "the webgpu backend computes in float32 from a file's own numbers" },
    ];
  },
  hardware: findHardware,
  async load(source: ModelSource, options: EngineOptions): Promise<WebGpuEngine> {
    if (options.format === "int8") {
      throw new UnsupportedError(
        "the webgpu backend computes in float32 from a file's own numbers and has no format int8",
        {},
        "use --format exact, or --backend onnx",
      );
    }
    if (source.converted) throw new UnsupportedError(CONVERTED, { file: source.path }, "use --backend onnx");
    const format: WeightFormat = options.format === "auto" ? "exact" : options.format;
    const context = contextLength(source, options.context);
    const device = await Device.open(await findAdapter(options.provider, options.cacheDir));
    try {
      const exact = await device.tested(() => selfTest(device));
      const told = (fraction: number) => options.progress?.("loading", fraction);
      const decoder = await buildDecoder(device, source, format === "exact", told);
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
        throw new UnsupportedError(error.message, error.place, error.hint);
      }
      throw error;
    }
  },
};
