// A model in several weight formats.
import type { Engine } from "../../src/backend.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { stderr } from "../output/streams.ts";

/** Undefined where the backend does not have the format for this model, and nobody named it; `refused` is told why. */
export async function loadWhereKnown(
  load: (format: WeightFormat) => Promise<Engine>,
  format: WeightFormat,
  named: boolean,
  refused?: (error: HunchError) => void,
): Promise<Engine | undefined> {
  try {
    return await load(format);
  } catch (error) {
    if (named || !(error instanceof HunchError) || error.kind !== "unavailable") throw error;
    refused?.(error);
    if (!(error instanceof UnsupportedError)) stderr.line(`hunch: ${format} is left out: ${error.line}`);
    return undefined;
  }
}
