// How files declare rotary embeddings: Hugging Face's `rope_parameters`, or its older `rope_theta` with `rope_scaling`;
// GGUF's keys and tensors. Two scalings depend on the length of the text (longrope, dynamic): they are resolved for the
// context that was asked for, and without that for the original context, where they change nothing or least.
import type { ModelFile } from "./architecture.ts";
import { fromRecord, type Hyper } from "./hyper.ts";
import { longropeMagnitude, ropeFrequencies, type RopeScaling, yarnMagnitude } from "./rope.ts";
import type { RopeSpec } from "./spec.ts";

export interface RopeQuestion {
  readonly interleaved: boolean;
  /** Set where the file may tell which fraction of a head is rotated: that of files that do not. */
  readonly fraction?: number;
  /** Base where the file tells none; default 10,000. */
  readonly base?: number;
  /** What a `config.json` means that tells neither `rope_parameters` nor `rope_scaling`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Kind of layer, where `rope_parameters` tells kinds apart. */
  readonly layerType?: string;
  /** The file may tell sections for time, height and width (`mrope`): in a text they are one position. */
  readonly sections?: boolean;
  /** Whether the ramp of YaRN is rounded to whole pairs in GGUF, which has no key for it; default true. */
  readonly truncate?: boolean;
}

export interface RopeAnswer {
  readonly spec: RopeSpec;
  /** The context that the frequencies are right for, where that is not the file's own. */
  readonly context?: number;
  /** The longest that they could be resolved for, where they depend on it. */
  readonly longest?: number;
}

interface Declared {
  readonly base: number;
  readonly dimensions: number;
  readonly scaling: RopeScaling;
  readonly context?: number;
  readonly longest?: number;
}

/** Throws HunchError("input") for a scaling that is damaged or not supported. */
export function readRope(file: ModelFile, headSize: number, question: RopeQuestion): RopeAnswer {
  const declared = file.kind === "gguf"
    ? fromGguf(file, headSize, question.truncate ?? true)
    : fromHuggingFace(file, headSize, question);
  const { context, longest } = declared;
  return { spec: rope(file, headSize, question.interleaved, declared), context, longest };
}

/** The rotation of layers with a window, which is not scaled: Hugging Face's own, or one with a base of these names. */
export function windowRope(file: ModelFile, headSize: number, bases: readonly string[]): RopeSpec {
  if (file.hyper.has("rope_parameters")) {
    return readRope(file, headSize, { interleaved: false, layerType: "sliding_attention" }).spec;
  }
  return rope(file, headSize, false, {
    base: file.hyper.positive(bases, 10000),
    dimensions: headSize,
    scaling: { type: "none" },
  });
}

function rope(file: ModelFile, headSize: number, interleaved: boolean, declared: Declared): RopeSpec {
  const { base, dimensions, scaling } = declared;
  if (dimensions < 2 || dimensions > headSize || dimensions % 2) {
    throw file.hyper.wrong("rope dimensions", `${dimensions} of a head's ${headSize} elements cannot be rotated`);
  }
  const { frequencies, magnitude } = ropeFrequencies(dimensions, base, scaling);
  if (!frequencies.every(Number.isFinite) || !Number.isFinite(magnitude)) {
    throw file.hyper.wrong("rope scaling", "the rotation's frequencies are not finite");
  }
  return { frequencies, magnitude, dimensions, interleaved };
}

interface Parameters {
  /** The object that holds the rotation's parameters, in either spelling. */
  readonly parameters: Hyper;
  /** The one that holds its base. */
  readonly outer: Hyper;
  /** The one that holds what all kinds of layers share. */
  readonly shared: Hyper;
}

function parametersOf(hyper: Hyper, { layerType, parameters: absent = {} }: RopeQuestion): Parameters {
  const fresh = hyper.inside(["rope_parameters"]);
  if (!fresh) {
    const parameters = hyper.inside(["rope_scaling"]) ?? fromRecord(hyper.path, absent);
    return { parameters, outer: parameters.has("rope_theta") ? parameters : hyper, shared: parameters };
  }
  const own = layerType === undefined ? fresh : fresh.inside([layerType]);
  if (!own) throw hyper.wrong("rope_parameters", `tells no rotation of the layers ${layerType}`);
  if (own.has("rope_theta")) return { parameters: own, outer: own, shared: fresh };
  // Parameters for kinds of layers that the architecture does not know must not pass as absent.
  const record = hyper.find(["rope_parameters"])!.value as Record<string, unknown>;
  if (own !== fresh || !hyper.has("rope_theta") || Object.values(record).some(isObject)) {
    throw hyper.wrong("rope_parameters.rope_theta", "the rotation's base is missing");
  }
  return { parameters: fresh, outer: hyper, shared: fresh };
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fromHuggingFace(file: ModelFile, headSize: number, question: RopeQuestion): Declared {
  const { hyper } = file;
  const { parameters, outer, shared } = parametersOf(hyper, question);
  const base = outer.positive(["rope_theta"], question.base ?? 10000);
  const partial = ["partial_rotary_factor"];
  const fraction = question.fraction && parameters.positive(partial, hyper.positive(partial, question.fraction));
  const dimensions = Math.floor(headSize * (fraction ?? 1));
  const longest = hyper.integer(["max_position_embeddings"]);
  const originals = ["original_max_position_embeddings"];
  // Outside it counts first (Phi-3), but for parameters of one kind of layers.
  const inside = parameters.integer(originals, longest);
  const original = shared === parameters ? hyper.integer(originals, inside) : inside;
  const type = parameters.text(["rope_type", "type"], "default");
  const done = (scaling: RopeScaling, context?: number, longest?: number): Declared => (
    { base, dimensions, scaling, context, longest }
  );
  switch (question.sections && type === "mrope" ? "default" : type) {
    case "default":
      return done({ type: "none" });
    case "linear":
      return done({ type: "linear", factor: parameters.positive(["factor"]) });
    case "llama3":
      return done({
        type: "llama3",
        factor: parameters.positive(["factor"]),
        lowFrequencyFactor: parameters.positive(["low_freq_factor"]),
        highFrequencyFactor: parameters.positive(["high_freq_factor"]),
        original,
      });
    case "yarn": {
      const factor = parameters.positive(["factor"]);
      const context = Math.max(longest, Math.round(factor * original));
      const truncate = shared.flag(["truncate"], true);
      const bounds = { ...yarnBounds(parameters), truncate };
      return done({ ...bounds, type: "yarn", factor, original }, chosen(file, context, context));
    }
    case "longrope":
    case "su": {
      const context = chosen(file, original, longest);
      const [short, long] = ["short_factor", "long_factor"].map((list) => {
        const divisors = parameters.numbers([list], dimensions / 2);
        if (!divisors) throw hyper.wrong(list, "the scaling longrope needs this list");
        return divisors;
      });
      const divisors = context > original ? long : short;
      const factor = parameters.positive(["factor"], longest / original);
      const magnitude = parameters.positive(["attention_factor"], longropeMagnitude(factor, original));
      return done({ type: "divisors", divisors, magnitude }, context, longest);
    }
    case "dynamic": {
      const factor = parameters.positive(["factor"]);
      const most = Math.max(longest, Math.round(factor * original));
      const context = chosen(file, original, most);
      return done({ type: "dynamic", factor, original, length: context }, context, most);
    }
    default:
      throw hyper.wrong("rope_type", `the rotation scaling ${type} is not supported`, "use another model");
  }
}

function yarnBounds(parameters: Hyper) {
  const factor = parameters.positive(["factor"]);
  const weight = parameters.number(["mscale"], 0), all = parameters.number(["mscale_all_dim"], 0);
  const magnitude = weight && all ? yarnMagnitude(factor, weight) / yarnMagnitude(factor, all) : yarnMagnitude(factor);
  return {
    betaFast: parameters.positive(["beta_fast"], 32),
    betaSlow: parameters.positive(["beta_slow"], 1),
    magnitude: parameters.positive(["attention_factor"], magnitude),
  };
}

/** The context asked for, at most `longest`; `fallback` where none was. */
function chosen(file: ModelFile, fallback: number, longest: number): number {
  return Math.min(file.context ?? fallback, longest);
}

function fromGguf(file: ModelFile, headSize: number, truncate: boolean): Declared {
  const { hyper } = file;
  const base = hyper.positive(["rope.freq_base"], 10000);
  const dimensions = hyper.integer(["rope.dimension_count"], headSize);
  const longest = hyper.integer(["context_length"]);
  const original = hyper.integer(["rope.scaling.original_context_length"], longest);
  const type = hyper.text(["rope.scaling.type"], "linear");
  const factor = hyper.number(["rope.scaling.factor", "rope.scale_linear"], 0) || 1; // 0 stands for no scaling
  if (factor < 0) throw hyper.wrong("rope.scaling.factor", `${factor} is not above zero`);
  // Converters write transformers' attention_factor, which stands for all that cosines are raised by.
  const attention = ["rope.scaling.yarn_attn_factor", "rope.scaling.attn_factor"];
  const done = (scaling: RopeScaling): Declared => ({ base, dimensions, scaling });

  const long = file.tensors.get("rope_factors_long.weight");
  const short = file.tensors.get("rope_factors_short.weight");
  if (long && short) {
    const context = chosen(file, original, longest);
    const divisors = divisorsOf(file, (context > original ? long : short).name, dimensions);
    return { ...done({ type: "divisors", divisors, magnitude: hyper.positive(attention, 1) }), context, longest };
  }
  if (file.tensors.has("rope_freqs.weight")) {
    if ((type !== "none" && type !== "linear") || factor !== 1) {
      throw hyper.wrong("rope.scaling.type", "scaling beside the tensor rope_freqs.weight is not supported");
    }
    return done({ type: "divisors", divisors: divisorsOf(file, "rope_freqs.weight", dimensions), magnitude: 1 });
  }
  switch (type) {
    case "none":
      return done({ type: "none" });
    case "linear":
      return done({ type: "linear", factor });
    case "yarn": {
      const betaFast = hyper.positive(["rope.scaling.yarn_beta_fast"], 32);
      const betaSlow = hyper.positive(["rope.scaling.yarn_beta_slow"], 1);
      // Mistral's: the weight of what the magnitude is divided by.
      const divided = hyper.number(["rope.scaling.yarn_log_multiplier"], 0);
      const raised = yarnMagnitude(factor) / (divided ? yarnMagnitude(factor, divided) : 1);
      const magnitude = hyper.positive(attention, raised);
      return done({ type: "yarn", factor, original, betaFast, betaSlow, truncate, magnitude });
    }
    default:
      throw hyper.wrong("rope.scaling.type", `the rotation scaling ${type} is not supported`, "use another model");
  }
}

function divisorsOf(file: ModelFile, name: string, dimensions: number): Float32Array {
  const tensor = file.tensors.get(name)!;
  if (tensor.shape.length !== 1 || tensor.shape[0] !== dimensions / 2) {
    throw file.hyper.wrong(name, `the tensor is [${tensor.shape.join(", ")}], not [${dimensions / 2}]`);
  }
  return tensor.floats();
}
