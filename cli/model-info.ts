// What a model file is, and which models there are.
import { statSync } from "node:fs";
import { EXIT } from "../src/errors.ts";
import { openModel } from "../src/model/open.ts";
import type { ModelSource } from "../src/model/source.ts";
import { cacheFolder, openCache } from "./cache.ts";
import { findModel, knownModels } from "./models.ts";
import { stdout } from "./output/streams.ts";
import { bytes, count, table } from "./output/table.ts";

export async function modelInfo(
  options: { readonly file: string | undefined; readonly tensors: boolean; readonly json: boolean },
): Promise<number> {
  const source = await openModel(await findModel(options.file, openCache()));
  try {
    const facts = factsOf(source);
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

type Facts = ReturnType<typeof factsOf>;

function factsOf(source: ModelSource) {
  const { spec } = source;
  const { attention, feedForward } = spec.layers[0];
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
    ends: source.tokenizer.ends.map((token) => source.tokenizer.name(token)),
    begin: source.tokenizer.begin === undefined ? undefined : source.tokenizer.name(source.tokenizer.begin),
  };
}

function rowsOf(facts: Facts): string[][] {
  const types = Object.entries(facts.types).sort((a, b) => b[1] - a[1]);
  return [
    ["title", facts.title],
    ["file", `${facts.path} (${facts.format}, ${bytes(facts.bytes)})`],
    ["architecture", facts.architecture],
    ["parameters", `${count(facts.parameters)}: ${types.map(([type, n]) => `${count(n)} ${type}`).join(", ")}`],
    ["layers", `${facts.layers}, width ${facts.width}, feed-forward ${facts.feedForward}`],
    ["heads", `${facts.heads} of ${facts.headSize}, ${facts.kvHeads} for keys and values`],
    ["context", `${facts.context} tokens${facts.window ? `, some layers see the last ${facts.window}` : ""}`],
    ["vocabulary", `${facts.vocabulary} tokens`],
    ["begins with", facts.begin ?? "nothing"],
    ["ends with", facts.ends.join(" ") || "nothing"],
    ["chat template", facts.chatTemplate ? "yes" : "no"],
  ];
}

export async function modelList(options: { readonly json: boolean }): Promise<number> {
  const models = await knownModels(cacheFolder());
  if (options.json) {
    stdout.line(JSON.stringify(models));
    return EXIT.ok;
  }
  const rows = models.map(({ name, path, default: isDefault }) => [
    name,
    sizeOf(path),
    isDefault ? "default" : "",
    path,
  ]);
  for (const line of table(rows, [1])) stdout.line(line);
  return EXIT.ok;
}

function sizeOf(path: string): string {
  const about = statSync(path, { throwIfNoEntry: false });
  return about === undefined || about.isDirectory() ? "" : bytes(about.size);
}
