// Every architecture, from Hugging Face's folder and from GGUF: the same spec, the same numbers, nothing left over.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import { HunchError } from "../../src/errors.ts";
import { ARCHITECTURES } from "../../src/model/architectures/mod.ts";
import { describeGguf } from "../../src/model/files/gguf-source.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { ModelFile } from "../../src/model/spec/architecture.ts";
import { fromRecord } from "../../src/model/spec/hyper.ts";
import { readRope } from "../../src/model/spec/rope-config.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import { scoreTokens } from "../../src/round/perplexity.ts";
import { fitPrompt } from "../../src/round/prompt.ts";
import { folderWith, type Json, oldSpelling, readConfig } from "./support/folder.ts";

const FIXTURES = ["llama", "llama-rope-scaled", "mistral-window", "qwen2", "qwen3", "phi3", "gpt_neox", "gpt2"]
  .concat(["gemma2", "gemma3", "olmo2", "smollm3", "granite"]);
/** Made by scripts/tiny-models.py. */
const NEWER = [
  "olmo3",
  "gemma3-images",
  "mistral-images",
  "gemma",
  "seed_oss",
  "ernie4_5",
  "exaone4",
  "glm4",
  "granite4",
]
  .concat(["cohere2", "ministral3", "qwen2_vl", "qwen3_vl", "mixtral", "qwen3_moe", "olmoe", "gpt_oss"]);
const fixture = (name: string) => `test/fixtures/tiny/${name}`;
const ggufOf = (name: string) => `test/fixtures/tiny/gguf/${name}-${NEWER.includes(name) ? "f16" : "f32"}.gguf`;

test("every architecture has a fixture", () => {
  const covered = new Set([...FIXTURES, ...NEWER].map((name) => name.split("-")[0]));
  assert.deepEqual(covered, new Set(ARCHITECTURES.map(({ name }) => name)));
});

/** A spec with its frequencies rounded to float32 and without how rows lie, which the formats do differently. */
function comparable(spec: ModelSpec): unknown {
  return JSON.parse(JSON.stringify(spec, (key, item) => {
    if (key === "interleaved" || key === "architecture") return undefined;
    if (item instanceof Float64Array) return [...item].map((value) => value.toPrecision(6));
    return typeof item === "number" ? Number(item.toPrecision(6)) : item;
  }));
}

/** Rows of q or k back from llama.cpp's order of neighbouring pairs to that of halves. */
function halves(values: Float32Array, heads: number, headSize: number): Float32Array {
  const width = values.length / heads / headSize;
  const out = new Float32Array(values.length);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < headSize; row++) {
      const from = head * headSize + (row % (headSize / 2)) * 2 + Math.floor(row / (headSize / 2));
      out.set(values.subarray(from * width, (from + 1) * width), (head * headSize + row) * width);
    }
  }
  return out;
}

function assertSameTensors(a: ModelSource, b: ModelSource): void {
  assert.deepEqual(new Set(a.names), new Set(b.names));
  for (const name of a.names) {
    assert.deepEqual(a.tensor(name).shape, b.tensor(name).shape, name);
    const match = /^layers\.(\d+)\.attention\.([qk])\.weight$/.exec(name);
    const attention = match && b.spec.layers[Number(match[1])].attention;
    const values = b.tensor(name).floats();
    const [from, to] = [a, b].map(({ spec }) => spec.layers[0].attention.rope?.interleaved);
    const permuted = attention && to && !from;
    const heads = match?.[2] === "q" ? attention?.heads : attention?.kvHeads;
    const expected = permuted ? halves(values, heads!, attention.headSize) : values;
    assert.deepEqual(a.tensor(name).floats(), expected, name);
  }
}

for (const name of [...FIXTURES, ...NEWER]) {
  if (existsSync(ggufOf(name))) {
    test(`${name} is the same from its folder and from GGUF`, async () => {
      const said: string[] = [];
      const options = { warn: (line: string) => said.push(line) };
      const folder = await openModel(fixture(name), options);
      const file = await openModel(ggufOf(name), options);
      assert.deepEqual(said, [], "every field is read, or says nothing");
      assert.deepEqual(comparable(folder.spec), comparable(file.spec));
      assertSameTensors(folder, file);
      folder.close();
      file.close();
    });
  }

  test(`${name} is the same with its configuration in the old spelling`, async () => {
    const config = readConfig(fixture(name));
    const old = oldSpelling(config);
    assert.ok(!("rope_parameters" in old));
    const fresh = await openModel(fixture(name));
    const other = await openModel(folderWith(old, fixture(name)));
    assert.deepEqual(other.spec, fresh.spec);
    assert.deepEqual(other.names, fresh.names);
    fresh.close();
    other.close();
  });
}

/** What makes each architecture itself. */
const TRAITS: Record<string, (spec: ModelSpec, source: ModelSource) => void> = {
  llama: ({ layers, width, vocab, context }, source) => {
    assert.deepEqual([layers.length, width, vocab, context], [3, 48, 256, 256]);
    assert.deepEqual([layers[0].attention.heads, layers[0].attention.kvHeads], [6, 2]);
    assert.ok(source.has("output.weight"));
  },
  "llama-rope-scaled": ({ layers }, source) => {
    const { frequencies } = layers[0].attention.rope!;
    assert.equal(frequencies[0], 1);
    assert.ok(
      Math.abs(frequencies[7] * 8 / 500000 ** (-14 / 16) - 1) < 1e-6,
      "the slowest pair is stretched eightfold",
    );
    assert.ok(!source.has("output.weight"), "tied");
  },
  "mistral-window": ({ layers }) => assert.ok(layers.every(({ attention }) => attention.window === 8)),
  qwen2: (_, source) =>
    assert.ok(source.has("layers.2.attention.k.bias") && !source.has("layers.2.attention.output.bias")),
  qwen3: ({ width, layers }, source) => {
    assert.notEqual(layers[0].attention.heads * layers[0].attention.headSize, width);
    assert.deepEqual(source.tensor("layers.0.attention.qNorm.weight").shape, [16]);
  },
  phi3: ({ layers }, source) => {
    assert.deepEqual(source.tensor("layers.0.attention.v.weight").shape, [24, 48]);
    assert.deepEqual(source.tensor("layers.0.feedForward.gate.weight").shape, [96, 48]);
    assert.equal(layers[0].attention.window, undefined);
  },
  gpt_neox: ({ layers, norm }) => {
    assert.ok(layers.every(({ parallel }) => parallel));
    assert.equal(layers[0].attention.rope!.dimensions, 4);
    assert.equal(norm.kind, "layer");
    assert.deepEqual(layers[0].feedForward, { hidden: 192, activation: "gelu", gated: false });
  },
  gpt2: ({ layers }, source) => {
    assert.equal(layers[0].attention.rope, undefined);
    assert.equal(layers[0].feedForward.activation, "gelu-tanh");
    assert.deepEqual(source.tensor("positions.weight").shape, [256, 48]);
    assert.deepEqual(source.tensor("layers.0.feedForward.down.weight").shape, [48, 192]);
  },
  gemma2: ({ layers, embeddingScale, logitSoftcap }) => {
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, undefined, 8, undefined]);
    assert.deepEqual([layers[0].attention.softcap, logitSoftcap], [50, 30]);
    assert.equal(embeddingScale, Math.sqrt(48));
  },
  gemma3: ({ layers }) => {
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, 8, 8, 8, 8, undefined]);
    const slowest = layers.map(({ attention }) => attention.rope!.frequencies[7]);
    assert.ok(slowest[5] < slowest[4] / 30, "layers without a window turn slower");
  },
  olmo2: (_, source) => {
    assert.ok(!source.has("layers.0.attention.norm.weight") && source.has("layers.0.attention.postNorm.weight"));
    assert.deepEqual(source.tensor("layers.0.attention.kNorm.weight").shape, [24]);
  },
  smollm3: ({ layers }) =>
    assert.deepEqual(layers.map(({ attention }) => attention.rope !== undefined), [true, true, true, false]),
  olmo3: ({ layers }) => {
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, 8, 8, undefined]);
    assert.ok(layers[3].attention.rope!.magnitude > layers[2].attention.rope!.magnitude, "only the last is scaled");
  },
  "gemma3-images": ({ layers, context }, source) => {
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, 8, 8, 8, 8, undefined]);
    assert.equal(context, 128);
    assert.ok(source.names.every((name) => !/vision|visual|projector/.test(name)));
  },
  "mistral-images": ({ architecture, layers }) => {
    assert.equal(architecture, "mistral");
    assert.equal(layers[0].attention.headSize, 16);
  },
  gemma: ({ layers, embeddingScale }, source) => {
    assert.equal(embeddingScale, Math.sqrt(32));
    assert.equal(layers[0].feedForward.activation, "gelu-tanh");
    assert.ok(!source.has("output.weight"), "tied");
  },
  seed_oss: (_, source) =>
    assert.ok(source.has("layers.1.attention.k.bias") && !source.has("layers.1.attention.output.bias")),
  ernie4_5: ({ layers }) => assert.ok(layers[0].attention.rope!.interleaved),
  exaone4: ({ layers }, source) => {
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, 8, 8, undefined]);
    assert.deepEqual(layers.map(({ attention }) => attention.rope !== undefined), [true, true, true, false]);
    assert.deepEqual(source.tensor("layers.0.attention.qNorm.weight").shape, [8]);
  },
  glm4: ({ layers }, source) => {
    const { rope } = layers[0].attention;
    assert.deepEqual([rope!.dimensions, rope!.interleaved], [8, true]);
    assert.ok(source.has("layers.0.feedForward.norm.weight") && source.has("layers.0.feedForward.postNorm.weight"));
  },
  granite4: ({ layers, embeddingScale, logitScale }) => {
    assert.deepEqual([embeddingScale, logitScale, layers[0].feedForward.hidden], [6, 0.25, 48]);
  },
  cohere2: ({ layers, norm, logitScale }) => {
    assert.ok(layers.every(({ parallel }) => parallel));
    assert.deepEqual([norm.kind, logitScale], ["layer", 0.25]);
    assert.deepEqual(layers.map(({ attention }) => attention.rope !== undefined), [true, true, true, false]);
  },
  ministral3: ({ layers, context }) => {
    assert.equal(context, 128);
    assert.deepEqual(layers[1].attention.growth, { beta: 0.3, every: 16 });
    assert.equal(layers[0].attention.rope!.magnitude, 1);
  },
  qwen2_vl: (_, source) => assert.ok(source.has("layers.1.attention.k.bias")),
  qwen3_vl: (_, source) => assert.deepEqual(source.tensor("layers.0.attention.qNorm.weight").shape, [16]),
  mixtral: ({ layers }, source) => {
    assert.deepEqual(layers[1].feedForward.experts, { count: 4, used: 2, share: "chosen" });
    assert.deepEqual(source.tensor("layers.1.feedForward.experts.3.down.weight").shape, [32, 16]);
  },
  qwen3_moe: ({ layers }) => {
    assert.deepEqual(layers[1].feedForward.experts, { count: 5, used: 2, share: "chosen" });
    assert.equal(layers[1].feedForward.hidden, 16);
  },
  olmoe: ({ layers }, source) => {
    assert.deepEqual(layers[1].feedForward.experts, { count: 5, used: 2, share: "all" });
    assert.deepEqual(source.tensor("layers.0.attention.kNorm.weight").shape, [32]);
  },
  gpt_oss: ({ layers }, source) => {
    const { attention, feedForward } = layers[0];
    assert.deepEqual(layers.map(({ attention }) => attention.window), [8, undefined]);
    assert.deepEqual(feedForward.clamp, { limit: 7, alpha: 1.702 });
    assert.equal(attention.rope!.magnitude, 0.1 * Math.log(4) + 1);
    assert.deepEqual(source.tensor("layers.0.attention.sinks").shape, [4]);
    assert.equal(source.tensor("layers.1.feedForward.experts.3.up.weight").type, "MXFP4");
  },
  granite: ({ layers, embeddingScale, logitScale }) => {
    assert.deepEqual([embeddingScale, logitScale, layers[0].attention.scale], [6, 0.25, 0.125]);
    assert.equal(layers[1].residualScale, 0.3);
  },
};

for (const name of [...FIXTURES, ...NEWER]) {
  test(`${name} has the traits of its kind`, async () => {
    const source = await openModel(fixture(name));
    TRAITS[name](source.spec, source);
    source.close();
  });
}

/** Other words for the same model. */
const SAME: [name: string, what: string, change: (config: Json) => Json][] = [
  [
    "exaone4",
    "a pattern of letters",
    ({ layer_types: _, ...config }) => ({ ...config, sliding_window_pattern: "LLLG" }),
  ],
  ["gemma", "old files' GELU", (config) => ({ ...config, hidden_act: "gelu", hidden_activation: null })],
  ["qwen3_moe", "no list of layers without experts", ({ mlp_only_layers: _, ...config }) => config],
];

for (const [name, what, change] of SAME) {
  test(`${name} is the same with ${what}`, async () => {
    const [plain, other] = [fixture(name), folderWith(change(readConfig(fixture(name))), fixture(name))];
    const models = await Promise.all([openModel(plain), openModel(other)]);
    assert.deepEqual(models[1].spec, models[0].spec);
    models.forEach((model) => model.close());
  });
}

test("without windows every layer of EXAONE 4 rotates, and Granite 4 may rotate nowhere", async () => {
  const attentionOf = async (name: string, change: Json) => {
    const source = await openModel(folderWith({ ...readConfig(fixture(name)), ...change }, fixture(name)));
    source.close();
    return source.spec.layers.map(({ attention }) => attention);
  };
  const exaone = await attentionOf("exaone4", { sliding_window: null, layer_types: null });
  assert.ok(exaone.every(({ rope, window }) => rope !== undefined && window === undefined));
  const granite = await attentionOf("granite4", { position_embedding_type: null });
  assert.ok(granite.every(({ rope }) => rope === undefined));
});

interface RopeCase {
  readonly name: string;
  readonly config: Json;
  readonly context: number | null;
  readonly frequencies: readonly number[];
  readonly magnitude: number;
}

/** Frequencies by transformers 5.23, float32. */
const ropes: RopeCase[] = JSON.parse(readFileSync("test/fixtures/rope.json", "utf8"));

for (const { name, config, context, frequencies, magnitude } of ropes) {
  test(`rotation scaling agrees with transformers: ${name}`, async () => {
    for (const spelling of [config, oldSpelling(config)]) {
      const rope = ropeOf(spelling, context ?? undefined);
      assert.equal(rope.frequencies.length, frequencies.length);
      for (let i = 0; i < frequencies.length; i++) {
        assert.ok(Math.abs(rope.frequencies[i] / frequencies[i] - 1) < 2e-6, `pair ${i}: ${rope.frequencies[i]}`);
      }
      assert.ok(Math.abs(rope.magnitude / magnitude - 1) < 1e-9, `magnitude ${rope.magnitude}`);
    }
  });
}

/** The rotation that a configuration asks for, of an architecture that may turn parts of heads. */
function ropeOf(config: Json, context?: number) {
  const file: ModelFile = {
    kind: "huggingFace",
    path: "config.json",
    hyper: fromRecord("config.json", config),
    all: Object.entries(config),
    tensors: new Map(),
    context,
  };
  const headSize = config.head_dim ?? config.hidden_size as number / (config.num_attention_heads as number);
  return readRope(file, headSize as number, { interleaved: false, fraction: 1 }).spec;
}

test("a context beyond the original one is taken only where it was asked for", () => {
  const { config } = ropes.find(({ name }) => name === "longrope, long")!;
  const folder = (context?: number) => ropeOf(config, context).frequencies[1];
  assert.equal(folder(), folder(64));
  assert.notEqual(folder(), folder(65));
});

test("a text beyond the original context is refused with the option that takes it, as far as it goes", async () => {
  const own = readConfig(fixture("phi3"));
  const factors = { short_factor: [1, 1, 1, 1, 1, 1], long_factor: [1, 2, 3, 4, 5, 6] };
  const rope = {
    ...own.rope_parameters as Json,
    rope_type: "longrope",
    original_max_position_embeddings: 16,
    ...factors,
  };
  const folder = folderWith({ ...own, rope_parameters: rope, original_max_position_embeddings: 16 }, fixture("phi3"));
  const source = await openModel(folder);
  assert.deepEqual([source.spec.context, source.spec.longest], [16, 256]);
  const engine = await referenceBackend.load(source, { format: "float32", strict: true, cacheDir: "" });
  const hints = (length: number, run: (prompt: Int32Array) => unknown) =>
    assert.rejects(async () => await run(new Int32Array(length).fill(1)), (error) => {
      assert.ok(error instanceof HunchError);
      assert.equal(/give --context 2\d \(at most 256 /.test(error.line), length < 256, error.line);
      return true;
    });
  for (const length of [20, 300]) {
    await hints(length, (prompt) => fitPrompt({ engine, prompt, maxTokens: 4 }));
    await hints(length, (prompt) => scoreTokens(engine, prompt));
  }
  engine.close();
  source.close();
  const longer = await openModel(folder, { context: 24 });
  assert.equal(longer.spec.context, 24);
  longer.close();
});

test("longrope's own factor decides how much cosines are raised, not the ratio of the contexts", async () => {
  const { config } = ropes.find(({ name }) => name === "longrope, long")!;
  const { attention_factor: _, ...rope } = config.rope_parameters as Json;
  const { magnitude } = ropeOf({ ...config, rope_parameters: { ...rope, factor: 4 } });
  const original = rope.original_max_position_embeddings ?? config.original_max_position_embeddings;
  assert.equal(magnitude, Math.sqrt(1 + Math.log(4) / Math.log(original as number)));
});

test("windows of OLMo 3 rotate without the scaling of its other layers", () => {
  const { metadata, tensors, file } = readGguf(ggufOf("olmo2"));
  const told = new Map<string, unknown>(metadata);
  const entries = { "attention.sliding_window": 8, "rope.scaling.type": "yarn", "rope.scaling.factor": 4 };
  const unscaled = describeGguf(file.path, told, tensors).spec.layers;
  for (const [key, value] of Object.entries(entries)) told.set(`olmo2.${key}`, value);
  told.set("olmo2.attention.sliding_window_pattern", Uint8Array.from(unscaled, (_, n) => n === 0 ? 1 : 0));
  const layers = describeGguf(file.path, told, tensors).spec.layers;
  layers.forEach(({ attention: { window, rope } }, n) => {
    assert.equal(window, n === 0 ? 8 : undefined);
    const plain = unscaled[n].attention.rope;
    if (n === 0) assert.deepEqual(rope, plain);
    else assert.notDeepEqual(rope?.frequencies, plain?.frequencies);
  });
  file.close();
});

test("a window pattern that GGUF tells layer by layer, or as a period, is taken", () => {
  const { metadata, tensors, file } = readGguf(ggufOf("gemma3"));
  const windows = (pattern: unknown) => {
    const told = new Map<string, unknown>([...metadata, ["gemma3.attention.sliding_window_pattern", pattern]]);
    return describeGguf(file.path, told, tensors).spec.layers.map(({ attention }) => attention.window);
  };
  assert.deepEqual(windows(Uint8Array.of(0, 1, 0, 0, 0, 1)), [undefined, 8, undefined, undefined, undefined, 8]);
  assert.deepEqual(windows(3), [8, 8, undefined, 8, 8, undefined]);
  assert.throws(() => windows(Uint8Array.of(1, 1)), HunchError);
  file.close();
});

test("a shorter context can be asked for, a longer one not", async () => {
  for (const name of ["gpt2", "llama"]) {
    const short = await openModel(fixture(name), { context: 100 });
    assert.equal(short.spec.context, 100);
    if (name === "gpt2") assert.deepEqual(short.tensor("positions.weight").shape, [100, 48]);
    const long = await openModel(fixture(name), { context: 1000 });
    assert.equal(long.spec.context, 256);
    short.close();
    long.close();
  }
});

test("a window as long as the context is kept for texts that are asked to be longer", async () => {
  const config = { ...readConfig(fixture("mistral-window")), sliding_window: 256 };
  const folder = folderWith(config, fixture("mistral-window"));
  for (const [context, window] of [[undefined, undefined], [100, undefined], [400, 256]]) {
    const model = await openModel(folder, { context });
    assert.deepEqual(model.spec.layers.map((layer) => layer.attention.window), model.spec.layers.map(() => window));
    model.close();
  }
});

const REFUSALS: [string, (config: Json) => Json, RegExp][] = [
  [
    "an unknown architecture",
    (config) => ({ ...config, model_type: "mamba" }),
    /"mamba" is not supported.*known are llama/,
  ],
  ["an unknown activation", (config) => ({ ...config, hidden_act: "relu2" }), /relu2 is not supported.*hidden_act/],
  [
    "an unknown rotation",
    (config) => ({ ...config, rope_parameters: { rope_type: "mrope", rope_theta: 1e4 } }),
    /mrope is not supported/,
  ],
  [
    "a rotation without its base",
    (config) => ({ ...config, rope_parameters: { x: {} } }),
    /base is missing.*rope_theta/,
  ],
  ["a mixture of experts", (config) => ({ ...config, num_local_experts: 8 }), /mixtures of experts/],
  [
    "an unknown quantisation",
    (config) => ({ ...config, quantization_config: { quant_method: "fp8" } }),
    /quantised by fp8 are not supported.*quant_method/,
  ],
  ["a missing hyper-parameter", ({ rms_norm_eps: _, ...config }) => config, /does not tell.*rms_norm_eps/],
  [
    "a hyper-parameter of another type",
    (config) => ({ ...config, hidden_size: "48" }),
    /"48" is not a sensible.*hidden_size/,
  ],
  ["too many layers", (config) => ({ ...config, num_hidden_layers: 2 ** 30 }), /1073741824 layers.*only 30 tensors/],
  ["one layer too many", (config) => ({ ...config, num_hidden_layers: 4 }), /lacks a tensor.*layers\.3\./],
  ["one layer too few", (config) => ({ ...config, num_hidden_layers: 2 }), /not part of.*layers\.2\./],
  ["another width", (config) => ({ ...config, hidden_size: 64 }), /the tensor is \[256, 48\].*embed_tokens/],
  ["a head of odd size", (config) => ({ ...config, head_dim: 7 }), /cannot be rotated/],
  ["heads that don't divide", (config) => ({ ...config, num_key_value_heads: 4 }), /cannot share/],
];

/** What variants of these architectures compute and nothing here does. */
const VARIANTS: [name: string, what: string, change: Json, message: RegExp][] = [
  ["granite4", "recurrent layers", { layer_types: ["attention", "mamba"] }, /layers of type mamba.*layer_types/],
  ["granite4", "experts", { num_local_experts: 8 }, /mixtures of experts.*num_local_experts/],
  ["qwen3_moe", "layers without experts", { mlp_only_layers: [1] }, /without experts.*mlp_only_layers/],
  ["olmoe", "clipped queries", { clip_qkv: 8 }, /clipped.*clip_qkv/],
  ["mixtral", "more experts a row than there are", { num_experts_per_tok: 5 }, /5 of 4 experts.*num_experts_per_tok/],
  ["exaone4", "a pattern of other letters", { layer_types: null, sliding_window_pattern: "LLX" }, /L and G.*pattern/],
];

for (const [name, what, change, message] of VARIANTS) {
  test(`${name} with ${what} is refused by name`, async () => {
    const folder = folderWith({ ...readConfig(fixture(name)), ...change }, fixture(name));
    await assert.rejects(openModel(folder), (error) => error instanceof HunchError && message.test(error.line));
  });
}

test("a missing expert is named as the file would name it", () => {
  const { file, metadata, tensors } = readGguf(ggufOf("mixtral"));
  file.close();
  const rest = new Map(tensors), name = "blk.1.ffn_down_exps.weight";
  rest.delete(name);
  assert.throws(
    () => describeGguf(file.path, metadata, rest),
    (error) => error instanceof HunchError && /lacks a tensor/.test(error.line) && error.line.includes(name),
  );
});

for (const [what, change, message] of REFUSALS) {
  test(`${what} is refused by name`, async () => {
    const folder = folderWith(change(readConfig(fixture("llama"))), fixture("llama"));
    await assert.rejects(openModel(folder), (error) => {
      assert.ok(error instanceof HunchError);
      assert.equal(error.kind, "input");
      assert.match(error.line, message);
      return true;
    });
  });
}
