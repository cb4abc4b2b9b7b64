// What a model file is, and which models there are.
import { statSync } from "node:fs";
import { EXIT, HunchError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import type { ModelSpec } from "../../src/model/spec/spec.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";
import { backendOffers, foreseeChoice } from "../engine/backends.ts";
import { cacheFolder } from "../../src/assets/cache-folder.ts";
import { openCache } from "../cache/cache.ts";
import { choiceLine, prospectLine } from "../engine/choice.ts";
import { openRegistry } from "../engine/methods.ts";
import { knownModels, openNamed } from "../engine/models.ts";
import { stdout } from "../output/streams.ts";
import { bytes, count, table } from "../output/table.ts";
import { visible } from "../output/visible.ts";

export async function modelInfo(
  options: { readonly file: string | undefined; readonly tensors: boolean; readonly json: boolean },
): Promise<number> {
  const cacheDir = openCache();
  const source = await openNamed(options.file, cacheDir);
  try {
    const registry = await openRegistry([]);
    const engines = await backendOffers(source, registry);
    const auto = await foreseeChoice(source, { format: "auto", strict: true, cacheDir }, registry);
    const facts = { ...factsOf(source), memory: memoryOf(source.spec), engines, auto };
    const tensors = source.names.map((name) => source.tensor(name));
    const tensorFacts = source.names.map((name, i) => ({ name, shape: tensors[i].shape, type: tensors[i].type }));
    if (options.json) {
      stdout.line(JSON.stringify({ ...facts, ...options.tensors ? { tensors: tensorFacts } : {} }));
      return EXIT.ok;
    }
    for (const line of table(rowsOf(facts))) stdout.line(line);
    if (options.tensors) {
      stdout.line();
      const rows = tensorFacts.map(({ name, shape, type }) => [name, shape.join(" × "), type]);
      for (const line of table(rows)) stdout.line(line);
    }
    return EXIT.ok;
  } finally {
    source.close();
  }
}

type Facts = ReturnType<typeof factsOf> & {
  readonly memory: ReturnType<typeof memoryOf>;
  readonly engines: Awaited<ReturnType<typeof backendOffers>>;
  readonly auto: Awaited<ReturnType<typeof foreseeChoice>>;
};

/** Bytes of keys and values in float32: of one token, and of a text as long as the context. */
function memoryOf({ layers, context }: ModelSpec) {
  const perToken = layers.reduce((sum, { attention: { kvHeads, headSize } }) => sum + 8 * kvHeads * headSize, 0);
  return { perToken, fullContext: perToken * context };
}

/** Undefined where the model comes without one, or with one that is not supported. */
function tokenizerOf(source: ModelSource): Tokenizer | undefined {
  try {
    return source.tokenizer;
  } catch (error) {
    if (error instanceof HunchError) return undefined;
    throw error;
  }
}

/** What can be said by --template-variable; undefined where there is no template, or a broken one. */
function variablesOf({ chat }: ModelSource): readonly string[] | undefined {
  try {
    return chat?.variables;
  } catch (error) {
    if (error instanceof HunchError) return undefined;
    throw error;
  }
}

function factsOf(source: ModelSource) {
  const { spec } = source;
  const { attention, feedForward } = spec.layers[0];
  const tokenizer = tokenizerOf(source);
  const types: Record<string, number> = {};
  let parameters = 0;
  for (const name of source.names) {
    const { shape, type } = source.tensor(name);
    const elements = shape.reduce((product, length) => product * length, 1);
    parameters += elements;
    types[type] = (types[type] ?? 0) + elements;
  }
  return {
    title: source.title,
    path: source.path,
    format: source.format,
    bytes: source.size,
    architecture: spec.architecture,
    parameters,
    types,
    layers: spec.layers.length,
    width: spec.width,
    heads: attention.heads,
    kvHeads: attention.kvHeads,
    headSize: attention.headSize,
    feedForward: feedForward.hidden,
    vocabulary: spec.vocab,
    context: spec.context,
    window: spec.layers.find((layer) => layer.attention.window !== undefined)?.attention.window,
    chatTemplate: source.chat !== undefined,
    templateVariables: variablesOf(source),
    tokenizer: tokenizer ? tokenizer.kind ?? "known" : null,
    ends: tokenizer?.ends.map((token) => tokenizer.name(token)) ?? [],
    begin: tokenizer?.begin === undefined ? undefined : tokenizer.name(tokenizer.begin),
    converted: source.converted && { engine: source.converted.engine, format: source.converted.format },
  };
}

function rowsOf(facts: Facts): string[][] {
  const types = Object.entries(facts.types).sort((a, b) => b[1] - a[1]);
  return [
    ["title", visible(facts.title)],
    ["file", `${visible(facts.path)} (${facts.format}, ${bytes(facts.bytes)})`],
    ["architecture", facts.architecture],
    ["parameters", `${count(facts.parameters)}: ${types.map(([type, n]) => `${count(n)} ${type}`).join(", ")}`],
    ["layers", `${facts.layers}, width ${facts.width}, feed-forward ${facts.feedForward}`],
    ["heads", `${facts.heads} of ${facts.headSize}, ${facts.kvHeads} for keys and values`],
    ["context", `${facts.context} tokens${facts.window ? `, some layers see the last ${facts.window}` : ""}`],
    ["vocabulary", `${facts.vocabulary} tokens, ${facts.tokenizer ?? "no tokenizer: only ids"}`],
    ["begins with", facts.begin ?? "nothing"],
    ["ends with", facts.ends.join(" ") || "nothing"],
    ["chat template", facts.chatTemplate ? "yes" : "no"],
    ...facts.chatTemplate
      ? [[
        "template variables",
        facts.templateVariables ? facts.templateVariables.join(", ") || "none" : "the template is broken",
      ]]
      : [],
    [
      "keys and values",
      `${bytes(facts.memory.perToken)} a token, ${bytes(facts.memory.fullContext)} of a full context`,
    ],
    ...facts.engines.flatMap(({ backend, offers }) =>
      offers.map(({ format, bytes: size, refusal }) => [
        `${backend} ${format}`,
        size === undefined ? `no: ${refusal}` : `${bytes(size)} of weights`,
      ])
    ),
    ["backend", "engine" in facts.auto ? choiceLine(facts.auto) : prospectLine(facts.auto)],
  ];
}

export async function modelList(options: { readonly json: boolean }): Promise<number> {
  const models = await knownModels(cacheFolder());
  if (options.json) {
    stdout.line(JSON.stringify(models.map(({ parts, ...model }) => parts.length > 0 ? { ...model, parts } : model)));
    return EXIT.ok;
  }
  const rows = models.map(({ name, path, parts, default: isDefault }) => [
    visible(name),
    sizeOf([path, ...parts]),
    isDefault ? "default" : "",
    visible(path),
  ]);
  for (const line of table(rows, [1])) stdout.line(line);
  return EXIT.ok;
}

/** Of all its files; "" of a folder. */
function sizeOf(paths: readonly string[]): string {
  const files = paths.map((path) => statSync(path, { throwIfNoEntry: false }));
  if (files.some((about) => about === undefined || about.isDirectory())) return "";
  return bytes(files.reduce((sum, about) => sum + (about?.size ?? 0), 0));
}
