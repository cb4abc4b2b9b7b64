// What every place says where scores come in that mean nothing.
import { HunchError } from "../errors.ts";
import type { ModelSource } from "./source.ts";

/** The refusal of a model whose logits are infinite or no numbers: nothing can be chosen by them. */
export function notFinite(source: ModelSource): HunchError {
  return new HunchError("input", "the model's scores are not finite numbers", {
    file: source.path,
    hint: "its weights are broken: download or convert it again",
  });
}
