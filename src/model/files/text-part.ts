// Folders of models that also take images or sounds: the text part, which is a model by itself.
import { HunchError } from "../../errors.ts";
import { ARCHITECTURES } from "../architectures/mod.ts";
import type { Architecture } from "../spec/architecture.ts";
import { fromRecord, Hyper } from "../spec/hyper.ts";

export interface TextPart {
  readonly architecture: Architecture;
  readonly hyper: Hyper;
  /** The whole of `config.json`, which tells of quantisation. */
  readonly outer: Hyper;
  /** What `config.json` tells of it. */
  readonly all: Iterable<readonly [string, unknown]>;
  /** A tensor's name as in a folder that holds nothing else; undefined where it is of another part. */
  readonly rename: (name: string) => string | undefined;
}

/** Tensors and, beside those of the text, fields of the other parts. */
const OTHER_TENSORS = /^(model\.)?(visual|vision_tower|multi_modal_projector)\./;
const OTHER_FIELDS = /^(vision|image|video)_/;

/** The text part of the folder with this `config.json`: all of it, where the folder holds nothing else. */
export function textPart(path: string, config: Record<string, unknown>): TextPart {
  const hyper = fromRecord(path, config);
  const type = hyper.text(["model_type"]);
  const whole = ARCHITECTURES.find(({ huggingFace }) => huggingFace === type);
  if (whole) return { architecture: whole, hyper, outer: hyper, all: Object.entries(config), rename: (name) => name };
  const candidates = ARCHITECTURES.filter(({ multimodal }) => multimodal?.includes(type));
  if (candidates.length === 0) throw unknown(hyper, "model_type", type, known());
  const inside = hyper.inside(["text_config"]); // Qwen2.5-VL's folders have its content outside as well, or only there
  const own = inside?.text(["model_type"], candidates[0].huggingFace) ?? candidates[0].huggingFace!;
  const names = candidates.flatMap(({ huggingFace = "", multimodal = [] }) => [huggingFace, ...multimodal]);
  const architecture = candidates.find(({ huggingFace }) => huggingFace === own) ?? candidates[0];
  if (!names.includes(own)) throw unknown(hyper, "text_config.model_type", own, names.join(", "));
  return {
    architecture,
    hyper: inside ? within(inside, hyper) : hyper,
    outer: hyper,
    all: Object.entries(config).filter(([name]) => inside ? name === "text_config" : !OTHER_FIELDS.test(name)),
    rename: (name) => OTHER_TENSORS.test(name) ? undefined : name.replace(/(^|\.)language_model\./, "$1"),
  };
}

/** The text's hyper-parameters. Whether embedding and head are one is told outside, where it is told. */
function within(inside: Hyper, outside: Hyper): Hyper {
  const tied = "tie_word_embeddings";
  const lookup = (name: string) => (name === tied ? outside.lookup(name) : undefined) ?? inside.lookup(name);
  return new Hyper(outside.path, lookup, "text_config.", outside.read);
}

function known(): string {
  return ARCHITECTURES.flatMap(({ huggingFace = [], multimodal = [] }) => [huggingFace, multimodal].flat()).join(", ");
}

function unknown({ path }: Hyper, field: string, type: string, known: string): HunchError {
  const message = `the architecture ${JSON.stringify(type.slice(0, 80))} is not supported`;
  return new HunchError("input", message, { file: path, field, hint: `known are ${known}` });
}
