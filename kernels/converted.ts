// What a file of `hunch model convert` holds: the weights as ONNX Runtime computes with them, under these names.
import { HunchError } from "../src/errors.ts";
import type { ConvertedWeights, ModelSource } from "../src/model/source.ts";
import { blockForm } from "../src/model/tensors/blocks.ts";
import type { Tensor } from "../src/model/tensors/tensor.ts";
import type { WeightFormat } from "../src/weight-format.ts";

/** Changes with every change of what a converted model contains. */
export const CONVERSION = 2;

/** Tensors that passes read row by row, beside the graph. */
export const KEPT = ["embed.weight", "positions.weight"];

/** Matrices that read the same rows and lie stacked under one label, by canonical name without `.weight`. */
export interface Stack {
  readonly names: readonly string[];
  readonly label: string;
}

/** The stacks of a layer by its index, and of the head. `output.weight` is absent where the head is tied to `embed`. */
export const STACKS = {
  qkv: (layer: number) => stackOf(`layers.${layer}.attention`, ["q", "k", "v"], "qkv"),
  attended: (layer: number) => stackOf(`layers.${layer}.attention`, ["output"], "output"),
  gateUp: (layer: number, expert?: number) => stackOf(blockOf(layer, expert), ["gate", "up"], "gateUp"),
  up: (layer: number, expert?: number) => stackOf(blockOf(layer, expert), ["up"], "up"),
  down: (layer: number, expert?: number) => stackOf(blockOf(layer, expert), ["down"], "down"),
  router: (layer: number) => stackOf(`layers.${layer}.feedForward`, ["router"], "router"),
  head: (source: Pick<ModelSource, "has">): Stack => ({
    names: [source.has("output.weight") ? "output" : "embed"],
    label: "output",
  }),
} as const;

/** What a feed-forward's matrices are named under. */
function blockOf(layer: number, expert?: number): string {
  return `layers.${layer}.feedForward${expert === undefined ? "" : `.experts.${expert}`}`;
}

function stackOf(within: string, names: readonly string[], label: string): Stack {
  return { names: names.map((name) => `${within}.${name}`), label: `${within}.${label}` };
}

/** All stacks of a model. */
export function stacksOf(source: ModelSource): Stack[] {
  const layers = source.spec.layers.flatMap(({ feedForward: { gated, experts } }, i) => {
    const blocks = experts ? Array.from({ length: experts.count }, (_, expert) => expert) : [undefined];
    return [
      STACKS.qkv(i),
      STACKS.attended(i),
      ...experts ? [STACKS.router(i)] : [],
      ...blocks.flatMap((expert) => [gated ? STACKS.gateUp(i, expert) : STACKS.up(i, expert), STACKS.down(i, expert)]),
    ];
  });
  return [...layers, STACKS.head(source)];
}

/** Matrices that are one product. */
export interface Group {
  /** What the file calls it. */
  readonly label: string;
  readonly tensors: readonly Tensor[];
  /** Absent: float32. */
  readonly form?: ReturnType<typeof blockForm>;
}

/** Neighbours of one form are one product; files mix types within a layer. */
export function groupsOf(tensors: readonly Tensor[], label: string): Group[] {
  const groups: { tensors: Tensor[]; form: ReturnType<typeof blockForm> }[] = [];
  for (const tensor of tensors) {
    const form = blockForm(tensor);
    const last = groups.at(-1);
    if (last && JSON.stringify(form) === JSON.stringify(last.form)) last.tensors.push(tensor);
    else groups.push({ tensors: [tensor], form });
  }
  return groups.map(({ tensors, form }, i) => ({
    tensors,
    label: groups.length === 1 ? label : `${label}.${i}`,
    form: form && tensors[0].shape[1] % form.block === 0 ? form : undefined,
  }));
}

/** Throws HunchError where the file is of another engine or version, or does not have `format`. */
export function checkConverted({ path }: ModelSource, converted: ConvertedWeights, format: WeightFormat): void {
  if (converted.engine !== "onnx" || converted.version !== CONVERSION) {
    const message = `the file was converted by ${
      converted.engine === "onnx" ? "another version of hunch" : `the engine ${converted.engine}`
    }`;
    throw new HunchError("input", message, { file: path, hint: "convert the original again with this one" });
  }
  if (converted.format !== format) {
    const hint = `use --format ${converted.format}, or convert the original again`;
    throw new HunchError("usage", `the file holds the weights in ${converted.format} only`, { file: path, hint });
  }
}

/** Where a weight of `length` bytes lies. Throws HunchError where the file lacks it, or has it in another size. */
export function placeOf({ path }: ModelSource, converted: ConvertedWeights, name: string, length: number) {
  const found = converted.places.get(name);
  if (found?.length === length) return found;
  const message = found ? `the weight has ${found.length} bytes, not ${length}` : "the file lacks a weight";
  throw new HunchError("input", message, { file: path, field: name, hint: "the file contradicts itself" });
}
