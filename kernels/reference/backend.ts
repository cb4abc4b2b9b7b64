// Loads small models on the reference engine, and refuses what would only waste a person's time.
import type { Backend, EngineOptions } from "../../src/backend.ts";
import { UnsupportedError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { contextLength } from "../rows.ts";
import { ReferenceEngine } from "./engine.ts";
import { readModel } from "./weights.ts";

/** About a tenth of a second per token; anything larger belongs on another backend. */
const MOST_PARAMETERS = 50_000_000;

export const referenceBackend: Backend = {
  name: "reference",
  offers(source) {
    const refusal = refuseLarge(source) ?? (source.converted && "the weights are in the form of another engine");
    // Four bytes are read for each parameter and eight are kept.
    return [{ format: "float32", ...refusal ? { refusal } : { bytes: 8 * countParameters(source) } }];
  },
  async load(source: ModelSource, options: EngineOptions): Promise<ReferenceEngine> {
    if (options.format !== "auto" && options.format !== "float32") {
      throw new UnsupportedError(
        `the reference backend computes in float64 from float32 weights and has no format ${options.format}`,
        { hint: "use --format float32, or another backend such as onnx" },
      );
    }
    if (options.provider !== undefined && options.provider !== "cpu") {
      throw new UnsupportedError(
        `the reference backend is plain TypeScript and has no execution provider ${options.provider}`,
        { hint: "leave the provider out, or use another backend such as onnx" },
      );
    }
    const refusal = refuseLarge(source);
    if (refusal) throw new UnsupportedError(refusal, { file: source.path, hint: "use another backend such as onnx" });
    const context = contextLength(source, options.context);
    options.progress?.("loading", 0);
    const model = readModel(source);
    options.progress?.("loading", 1);
    return new ReferenceEngine(source, model, context, options.progress);
  },
};

/** Why a model is too large; undefined where it is not. */
function refuseLarge(source: ModelSource): string | undefined {
  const parameters = countParameters(source);
  if (parameters <= MOST_PARAMETERS) return undefined;
  return `${source.title} has ${Math.round(parameters / 1e6)} million parameters, ` +
    `too many for the reference backend, which stops at ${MOST_PARAMETERS / 1e6} million`;
}

function countParameters(source: ModelSource): number {
  return source.names.reduce((sum, name) => sum + source.tensor(name).shape.reduce((a, b) => a * b, 1), 0);
}
