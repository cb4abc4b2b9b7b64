// ONNX Runtime computes what other people's engines computed, from every kind of file.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { openModel } from "../../src/model/open.ts";
import { farOff, fixture, storiesCases, TINY, tinyFiles, tinyTexts } from "./support/golden.ts";
import { treeScores } from "./support/tree-text.ts";

const cacheDir = mkdtempSync(join(tmpdir(), "hunch-onnx-"));
after(() => rmSync(cacheDir, { recursive: true, force: true }));

const load = async (path: string) =>
  onnxBackend.load(await openModel(path), { format: "float32", strict: true, cacheDir });

for (
  const [name, file] of [
    ["stories260K", "stories260K.bin"],
    ["stories260K", "stories260K-f32.gguf"],
    ["draft41K-tok512", "draft41K-tok512.bin"],
  ] as const
) {
  for (const { name: title, run } of storiesCases(name, () => load(fixture(`stories260k/${file}`)))) {
    test(`${title}, from ${file}`, run);
  }
}

for (const name of TINY) {
  for (const { kind, path } of tinyFiles(name)) {
    test(`${name} from its ${kind} agrees with transformers, in one pass, token by token and as trees`, async () => {
      const engine = await load(path);
      for (const text of tinyTexts(name)) {
        for (const width of [text.tokens.length, 1]) {
          const sequence = engine.open();
          const rows = await runChain(sequence, text.tokens, width);
          assert.ok(farOff(rows, text) < 1e-4, `${farOff(rows, text)} off in passes of ${width}`);
          sequence.close();
        }
        const rows = await treeScores(engine, text.tokens);
        assert.ok(farOff(rows, text) < 1e-4, `${farOff(rows, text)} off as trees`);
      }
      engine.close();
      engine.source.close();
    });
  }
}
