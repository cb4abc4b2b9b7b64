// hunch model convert: a model as one file that holds the weights in one format and loads without the original.
import { statSync } from "node:fs";
import type { WeightFormat } from "../../src/weight-format.ts";
import { EXIT } from "../../src/errors.ts";
import { openCache } from "../cache/cache.ts";
import { interruptible } from "../input/interrupt.ts";
import { openNamed } from "../engine/models.ts";
import { Status } from "../output/status.ts";
import { stderr } from "../output/streams.ts";
import { bytes } from "../output/table.ts";

interface Options {
  readonly out: string;
  readonly model: string | undefined;
  readonly format: WeightFormat;
  readonly context: number | undefined;
}

export async function modelConvert({ out, model, format, context }: Options): Promise<number> {
  const status = new Status();
  const source = await openNamed(model, openCache(), { context });
  try {
    const { convertModel } = await import("../../kernels/onnx/conversion.ts");
    const done = await interruptible(async (signal) => {
      try {
        await convertModel(source, format, out, status.progress, signal);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        throw error;
      }
    });
    if (!done) return EXIT.interrupted;
  } finally {
    status.clear();
    source.close();
  }
  stderr.line(`${out}: ${source.title} in ${format}, ${bytes(statSync(out).size)}`);
  return EXIT.ok;
}
