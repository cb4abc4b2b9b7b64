// A ModelSpec as JSON, and back with every number checked.
import type {
  Activation,
  AttentionSpec,
  ExpertsSpec,
  FeedForwardSpec,
  LayerSpec,
  ModelSpec,
  RopeSpec,
} from "./spec.ts";
import type { Json } from "../tokenizers/json.ts";

const MOST = 2 ** 31;
/** No model has so many experts in a layer. */
const MOST_EXPERTS = 1 << 14;
const ACTIVATIONS: readonly Activation[] = ["silu", "gelu", "gelu-tanh"];

/** What `readSpec` reads: JSON keeps float64 as it is. The context is settled. */
export function specJson({ longest: _, ...spec }: ModelSpec): unknown {
  return JSON.parse(JSON.stringify(spec, (_, value) => value instanceof Float64Array ? [...value] : value));
}

/** Throws HunchError("input") naming the field where something is missing or makes no sense. */
export function readSpec(json: Json, tensors: number): ModelSpec {
  const layers = json.get("layers").items();
  if (layers.length < 1 || layers.length > tensors) {
    throw json.get("layers").fail(`${layers.length} layers do not fit ${tensors} tensors`);
  }
  const norm = json.get("norm");
  return {
    architecture: json.get("architecture").text() ?? "",
    vocab: size(json, "vocab"),
    width: size(json, "width"),
    context: size(json, "context"),
    layers: layers.map(readLayer),
    norm: { kind: oneOf(norm, "kind", ["rms", "layer"] as const), epsilon: number(norm, "epsilon") },
    embeddingScale: number(json, "embeddingScale"),
    logitScale: number(json, "logitScale"),
    logitSoftcap: optional(json, "logitSoftcap", number),
  };
}

function readLayer(json: Json): LayerSpec {
  return {
    attention: readAttention(json.get("attention")),
    feedForward: readFeedForward(json.get("feedForward")),
    parallel: flag(json, "parallel"),
    residualScale: number(json, "residualScale"),
  };
}

function readAttention(json: Json): AttentionSpec {
  const [heads, kvHeads, headSize] = ["heads", "kvHeads", "headSize"].map((name) => size(json, name));
  if (heads % kvHeads) throw json.get("kvHeads").fail(`${heads} heads cannot share ${kvHeads} key heads`);
  return {
    heads,
    kvHeads,
    headSize,
    scale: number(json, "scale"),
    rope: optional(json, "rope", (json, name) => readRope(json.get(name), headSize)),
    growth: optional(json, "growth", (json, name) => readGrowth(json.get(name))),
    window: optional(json, "window", size),
    softcap: optional(json, "softcap", number),
  };
}

function readGrowth(json: Json): AttentionSpec["growth"] {
  return { beta: number(json, "beta"), every: size(json, "every") };
}

function readRope(json: Json, headSize: number): RopeSpec {
  const dimensions = size(json, "dimensions");
  const frequencies = json.get("frequencies").list();
  if (dimensions > headSize || frequencies.length !== dimensions / 2) {
    const message = `${frequencies.length} frequencies do not rotate ${dimensions} of ${headSize} dimensions`;
    throw json.get("frequencies").fail(message);
  }
  if (!frequencies.every((value): value is number => typeof value === "number" && Number.isFinite(value))) {
    throw json.get("frequencies").fail("this is no list of numbers");
  }
  return {
    frequencies: Float64Array.from(frequencies),
    magnitude: number(json, "magnitude"),
    dimensions,
    interleaved: flag(json, "interleaved"),
  };
}

function readFeedForward(json: Json): FeedForwardSpec {
  const activation = oneOf(json, "activation", ACTIVATIONS);
  return {
    hidden: size(json, "hidden"),
    activation,
    gated: flag(json, "gated"),
    clamp: optional(json, "clamp", (json, name) => readClamp(json.get(name))),
    experts: optional(json, "experts", (json, name) => readExperts(json.get(name))),
  };
}

function readClamp(json: Json): FeedForwardSpec["clamp"] {
  return { limit: number(json, "limit"), alpha: number(json, "alpha") };
}

function readExperts(json: Json): ExpertsSpec {
  const [count, used] = ["count", "used"].map((name) => size(json, name));
  if (used > count || count > MOST_EXPERTS) throw json.get("used").fail(`${used} of ${count} experts are not possible`);
  return { count, used, share: oneOf(json, "share", ["all", "chosen"] as const) };
}

function size(json: Json, name: string): number {
  const value = json.get(name).index(MOST);
  if (value === undefined || value < 1) throw json.get(name).fail("a size is missing or not possible");
  return value;
}

function number(json: Json, name: string): number {
  const { value } = json.get(name);
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw json.get(name).fail("a number is missing or not possible");
}

function flag(json: Json, name: string): boolean {
  const value = json.get(name).flag();
  if (value === undefined) throw json.get(name).fail("true or false is missing");
  return value;
}

function oneOf<T extends string>(json: Json, name: string, known: readonly T[]): T {
  const value = known.find((known) => known === json.get(name).value);
  if (value === undefined) throw json.get(name).fail(`this is none of ${known.join(", ")}`);
  return value;
}

function optional<T>(json: Json, name: string, read: (json: Json, name: string) => T): T | undefined {
  return json.get(name).isAbsent ? undefined : read(json, name);
}
