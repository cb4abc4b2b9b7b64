// The shapes that a model's tensors must have, by its spec. Engines rely on them without looking again.
import { HunchError } from "../../errors.ts";
import type { Tensor } from "../tensors/tensor.ts";
import type { FeedForwardSpec, LayerSpec, ModelSpec } from "./spec.ts";

/** Throws HunchError("input") naming the first tensor that is missing, surplus or of another shape. */
export function checkShapes(spec: ModelSpec, tensors: ReadonlyMap<string, Tensor>, path: string): void {
  const shapes = expectedShapes(spec);
  for (const [name, tensor] of tensors) {
    const allowed = shapes.get(name);
    const fits = allowed?.some((shape) => shape.join() === tensor.shape.join());
    if (!fits) {
      const wanted = allowed ? allowed.map(show).join(" or ") : "no such tensor";
      const message = `the tensor is ${show(tensor.shape)}, but the hyper-parameters ask for ${wanted}`;
      throw new HunchError("input", message, { file: path, field: tensor.name, hint: "the file contradicts itself" });
    }
  }
  for (const [name, required] of requiredNames(spec)) {
    if (required && !tensors.has(name)) {
      throw new HunchError("input", "the model lacks a tensor", {
        file: path,
        field: name,
        hint: "the file is incomplete",
      });
    }
  }
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function expectedShapes(spec: ModelSpec): Map<string, number[][]> {
  const { vocab, width, context } = spec;
  const shapes = new Map<string, number[][]>([
    ["embed.weight", [[vocab, width]]],
    ["positions.weight", [[context, width]]],
    ["output.weight", [[vocab, width]]],
    ["output.bias", [[vocab]]],
    ["norm.weight", [[width]]],
    ["norm.bias", [[width]]],
  ]);
  spec.layers.forEach((layer, n) => {
    for (const [name, allowed] of Object.entries(layerShapes(layer, width))) shapes.set(`layers.${n}.${name}`, allowed);
  });
  return shapes;
}

function layerShapes({ attention, feedForward }: LayerSpec, width: number): Record<string, number[][]> {
  const queries = attention.heads * attention.headSize;
  const keys = attention.kvHeads * attention.headSize;
  const { hidden } = feedForward;
  return {
    "attention.norm.weight": [[width]],
    "attention.norm.bias": [[width]],
    "attention.q.weight": [[queries, width]],
    "attention.q.bias": [[queries]],
    "attention.k.weight": [[keys, width]],
    "attention.k.bias": [[keys]],
    "attention.v.weight": [[keys, width]],
    "attention.v.bias": [[keys]],
    "attention.output.weight": [[width, queries]],
    "attention.output.bias": [[width]],
    "attention.qNorm.weight": [[attention.headSize], [queries]],
    "attention.kNorm.weight": [[attention.headSize], [keys]],
    "attention.postNorm.weight": [[width]],
    "attention.sinks": [[attention.heads]],
    "feedForward.norm.weight": [[width]],
    "feedForward.norm.bias": [[width]],
    "feedForward.postNorm.weight": [[width]],
    ...Object.fromEntries(
      blocksOf(feedForward).flatMap((block) => [
        [`${block}.gate.weight`, [[hidden, width]]],
        [`${block}.gate.bias`, [[hidden]]],
        [`${block}.up.weight`, [[hidden, width]]],
        [`${block}.up.bias`, [[hidden]]],
        [`${block}.down.weight`, [[width, hidden]]],
        [`${block}.down.bias`, [[width]]],
      ]),
    ),
    ...feedForward.experts && {
      "feedForward.router.weight": [[feedForward.experts.count, width]],
      "feedForward.router.bias": [[feedForward.experts.count]],
    },
  };
}

/** What its gate, up and down are named under: the feed-forward itself, or each of its experts. */
function blocksOf({ experts }: FeedForwardSpec): string[] {
  if (!experts) return ["feedForward"];
  return Array.from({ length: experts.count }, (_, expert) => `feedForward.experts.${expert}`);
}

/** The tensors that no engine can do without. */
function requiredNames(spec: ModelSpec): Map<string, boolean> {
  const names = new Map([["embed.weight", true], ["norm.weight", true]]);
  spec.layers.forEach((layer, n) => {
    for (const part of ["q", "k", "v", "output"]) names.set(`layers.${n}.attention.${part}.weight`, true);
    if (layer.feedForward.experts) names.set(`layers.${n}.feedForward.router.weight`, true);
    for (const block of blocksOf(layer.feedForward)) {
      names.set(`layers.${n}.${block}.gate.weight`, layer.feedForward.gated);
      names.set(`layers.${n}.${block}.up.weight`, true);
      names.set(`layers.${n}.${block}.down.weight`, true);
    }
  });
  return names;
}
