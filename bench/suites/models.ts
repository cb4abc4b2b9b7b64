// Model files: opening one whose conversion is cached beside reading its bytes, and converting it.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { convertModel } from "../../kernels/onnx/conversion.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../src/weight-format.ts";
import { openModel } from "../../src/model/open.ts";
import { ratios, show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL } from "../setup.ts";

const OPENINGS = 15;
const CONVERSIONS = 3;
const STEP = 1 << 22;

const suite: Suite = {
  summary: "Opening the default model when its conversion is cached, beside reading its bytes; converting it",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "hunch-bench-"));
    try {
      const opened = [];
      for (const format of WEIGHT_FORMATS) opened.push(await opening(format, join(folder, "cache")));
      const converted = [];
      for (const format of WEIGHT_FORMATS) converted.push(await converting(format, join(folder, "converted")));
      return {
        report: `${
          table(["cached, one process, library loaded", "open, ms", "read the file, ms", "ratio"], opened)
        }\n\nRatio to reach: 1.5.\n\n${
          table(["one thread, written to disk", "seconds", "MB/s of GGUF"], converted)
        }\n\nTo reach: 150 MB/s to exact.`,
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export default suite;

/** Opening, in turns with reading every byte of the model file (from memory, as far as the system keeps it). */
async function opening(format: WeightFormat, cacheDir: string): Promise<string[]> {
  const open = async () => {
    const source = await openModel(DEFAULT_MODEL);
    const engine = await onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });
    source.tokenizer.encode("ready");
    return () => {
      engine.close();
      source.close();
    };
  };
  (await open())(); // converts, and remembers the file's hash
  const [ours, reading] = [[] as number[], [] as number[]];
  for (let i = 0; i < OPENINGS; i++) {
    reading.push(await timed(() => readAll(DEFAULT_MODEL)));
    let close = () => {};
    ours.push(await timed(async () => void (close = await open())));
    close();
  }
  return [format, show(spread(ours), 0), show(spread(reading), 0), show(spread(ratios(ours, reading)))];
}

async function converting(format: WeightFormat, path: string): Promise<string[]> {
  const seconds = [];
  for (let i = 0; i < CONVERSIONS; i++) {
    const source = await openModel(DEFAULT_MODEL);
    seconds.push(await timed(() => convertModel(source, format, path)) / 1000);
    source.close();
  }
  const size = statSync(DEFAULT_MODEL).size / 1e6;
  return [format, show(spread(seconds)), show(spread(seconds.map((time) => size / time)), 0)];
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function readAll(path: string): void {
  const file = openSync(path, "r");
  const buffer = new Uint8Array(STEP);
  while (readSync(file, buffer, 0, STEP, null) > 0);
  closeSync(file);
}
