// Converted models: the same bits, tokens and template without the original, and one line where a file is damaged.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { onnxBackend } from "../../kernels/onnx/backend.ts";
import { convertModel } from "../../kernels/onnx/conversion.ts";
import { referenceBackend } from "../../kernels/reference/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { runChain } from "../../src/check/conformance/engine-bench.ts";
import { HunchError } from "../../src/errors.ts";
import { openModel } from "../../src/model/open.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { specJson } from "../../src/model/spec/spec-json.ts";
import { Dice } from "../model/support/fuzz.ts";
import { fixture } from "./support/golden.ts";
import { temporaryFolder } from "../support/folder.ts";

const cacheDir = temporaryFolder();
const away = join(cacheDir, "away");
mkdirSync(away);

const letters = [..."abcdefghijklmnopqrstuvwxyzĠ"];
const TOKENIZER = {
  added_tokens: [{ id: 255, content: "<|end|>", special: true, lstrip: false, rstrip: false, single_word: false }],
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: { type: "BPE", vocab: Object.fromEntries(letters.map((name, id) => [name, id])), merges: [], unk_token: null },
};

/** A tiny model's folder with a tokenizer and a template. */
function folderWithText(name: string): string {
  const folder = join(cacheDir, name);
  cpSync(fixture(`tiny/${name}`), folder, { recursive: true });
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(TOKENIZER));
  writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: 255 }));
  writeFileSync(join(folder, "chat_template.jinja"), "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}");
  return folder;
}

const load = (source: ModelSource, format: WeightFormat | "auto") =>
  onnxBackend.load(source, { format, strict: true, threads: 1, cacheDir });

async function logits(source: ModelSource, format: WeightFormat | "auto"): Promise<readonly ArrayLike<number>[]> {
  const engine = await load(source, format);
  const tokens = Int32Array.from({ length: 24 }, (_, i) => (i * 37 + 11) % source.spec.vocab);
  const sequence = engine.open();
  try {
    return await runChain(sequence, tokens, tokens.length);
  } finally {
    sequence.close();
    engine.close();
  }
}

const MODELS: readonly [what: string, path: () => string, formats: readonly WeightFormat[]][] = [
  ["GGUF", () => fixture("stories260k/stories260K-f32.gguf"), ["exact", "int8", "float32"]],
  ["GGUF with packed matrices", () => fixture("tiny/gguf/phi3-f32.gguf"), ["exact", "int8"]],
  ["GGUF with two rotations and windows", () => fixture("tiny/gguf/gemma3-f32.gguf"), ["exact"]],
  ["GGUF with experts and sinks", () => fixture("tiny/gguf/gpt_oss-f16.gguf"), ["exact"]],
  ["Hugging Face folder", () => folderWithText("llama"), ["int8", "float32"]],
  ["Hugging Face folder with learned positions", () => fixture("tiny/gpt2"), ["float32"]],
  ["llama2.c checkpoint", () => fixture("stories260k/stories260K.bin"), ["exact"]],
];

for (const [what, path, formats] of MODELS) {
  test(`a ${what} converted to ${formats.join(", ")} says the same without the original`, async () => {
    // The original lies in a folder that is gone when the converted file is used.
    const home = join(cacheDir, "home");
    const original = join(home, path().split("/").at(-1)!);
    cpSync(path(), original, { recursive: true });
    if (what.startsWith("llama2.c")) copyFileSync(fixture("stories260k/tok512.bin"), join(home, "tok512.bin"));
    const source = await openModel(original);
    const expected = new Map<WeightFormat, readonly ArrayLike<number>[]>();
    for (const format of formats) {
      expected.set(format, await logits(source, format));
      await convertModel(source, format, join(home, "made"));
      copyFileSync(join(home, "made"), join(away, `renamed ${format}`));
    }
    const facts = textFacts(source);
    source.close();
    rmSync(home, { recursive: true });
    for (const format of formats) {
      const converted = await openModel(join(away, `renamed ${format}`));
      assert.deepEqual(specJson(converted.spec), specJson(source.spec));
      assert.deepEqual(converted.names, source.names);
      assert.deepEqual([converted.title, converted.converted?.format], [source.title, format]);
      assert.deepEqual(textFacts(converted), facts);
      assert.deepEqual(await logits(converted, "auto"), expected.get(format));
      converted.close();
    }
  });
}

function textFacts(source: ModelSource) {
  const chat = source.chat && [source.chat.text, source.chat.render([{ role: "user", content: "hi" }])];
  try {
    const { tokenizer } = source;
    const ids = tokenizer.encode("once upon a time", { begin: true });
    return { chat, ids: [...ids], text: tokenizer.decode(ids), ends: tokenizer.ends, begin: tokenizer.begin };
  } catch (error) {
    assert.ok(error instanceof HunchError);
    assert.match(error.line, /tokenizer/);
    return { chat, ids: [] };
  }
}

const refused = (kind: HunchError["kind"], pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HunchError, String(error));
  assert.equal(error.kind, kind);
  assert.match(error.line, pattern);
  return true;
};

const made = join(cacheDir, "llama.hunch");
{
  const source = await openModel(folderWithText("llama"));
  await convertModel(source, "exact", made);
  source.close();
}

test("other formats, other engines and a second conversion are refused by name", async () => {
  const source = await openModel(made);
  await assert.rejects(load(source, "int8"), refused("usage", /in exact only.*--format exact/));
  const reference = referenceBackend.load(source, { format: "float32", strict: true, cacheDir });
  await assert.rejects(reference, refused("unavailable", /one engine and format only.*open the original/));
  await assert.rejects(convertModel(source, "exact", join(away, "again")), refused("usage", /only an original model/));
  source.close();
});

test("a context shortens a converted model as it shortens the original", async () => {
  const original = await openModel(fixture("tiny/gpt2"));
  const path = join(cacheDir, "gpt2.hunch");
  await convertModel(original, "float32", path);
  original.close();
  const source = await openModel(path, { context: 60 });
  assert.equal(source.spec.context, 60);
  assert.deepEqual(source.tensor("positions.weight").shape, [60, 48]);
  assert.equal((await logits(source, "float32")).length, 24);
  source.close();
});

test("a context as short as a model's window makes another graph, and the cache keeps them apart", async () => {
  const tokens = Int32Array.of(1, 2, 3, 4);
  const rows = async (context?: number) => {
    const source = await openModel(fixture("tiny/mistral-window"), { context });
    const engine = await load(source, "float32");
    const sequence = engine.open();
    const scores = await runChain(sequence, tokens, tokens.length);
    sequence.close();
    engine.close();
    source.close();
    return scores;
  };
  const whole = await rows();
  for (const context of [6, undefined, 8, 9]) assert.deepEqual(await rows(context), whole);
});

test("a conversion says how far it is, to the end", async () => {
  const source = await openModel(fixture("tiny/llama"));
  const [written, loaded] = [[] as number[], [] as number[]];
  await convertModel(source, "exact", join(away, "told"), (_, fraction) => written.push(fraction));
  const own = join(cacheDir, "told");
  const progress = (step: string, fraction: number) => step.startsWith("converting") && loaded.push(fraction);
  (await onnxBackend.load(source, { format: "exact", strict: true, threads: 1, cacheDir: own, progress })).close();
  source.close();
  for (const told of [written, loaded]) {
    assert.ok(told.length > 10, `told ${told.length} times`);
    assert.ok(told.every((fraction, i) => fraction > 0 && fraction <= 1 && fraction >= (told[i - 1] ?? 0)), `${told}`);
    assert.equal(told.at(-1), 1);
  }
});

test("nothing but a converted model is replaced, and nothing half written is left", async () => {
  const source = await openModel(fixture("tiny/llama"));
  const letter = join(away, "letter");
  writeFileSync(letter, "dear");
  await assert.rejects(convertModel(source, "exact", letter), refused("usage", /not replaced.*name another/));
  await assert.rejects(convertModel(source, "exact", away), refused("usage", /not replaced/));
  await assert.rejects(convertModel(source, "exact", join(away, "no", "x")), refused("usage", /no such folder/));
  const twice = join(away, "twice");
  await convertModel(source, "exact", twice);
  await convertModel(source, "float32", twice);
  const failing = { ...source, has: source.has.bind(source), spec: source.spec, tensor: failingTensor(source) };
  await assert.rejects(convertModel(failing as ModelSource, "exact", join(away, "half")), /no more/);
  const stop = new AbortController();
  const stopped = convertModel(source, "exact", join(away, "half"), () => stop.abort(new Error("stop")), stop.signal);
  await assert.rejects(stopped, /^Error: stop$/);
  source.close();
  assert.equal(readFileSync(letter, "utf8"), "dear");
  assert.ok(!existsSync(join(away, "half")));
  assert.deepEqual(readdirSync(away).filter((name) => name.endsWith(".tmp")), []);
});

function failingTensor(source: ModelSource): ModelSource["tensor"] {
  return (name) => ({
    ...source.tensor(name),
    shape: source.tensor(name).shape,
    type: source.tensor(name).type,
    floats: () => source.tensor(name).floats(),
    bytes: (from, to) => {
      if (name.startsWith("layers.1")) throw new Error("no more");
      return source.tensor(name).bytes(from, to);
    },
  });
}

test("a converted file cut short anywhere, or with a changed index, is refused in one line", async () => {
  const bytes = readFileSync(made);
  const damaged = join(away, "damaged");
  for (const length of [28, 63, 64, 500, bytes.length >> 1, bytes.length - 57, bytes.length - 1]) {
    writeFileSync(damaged, bytes.subarray(0, length));
    await assert.rejects(openModel(damaged), refused("input", /cut short.*damaged or incomplete/));
  }
  writeFileSync(damaged, Buffer.concat([bytes, Buffer.of(0)]));
  await assert.rejects(openModel(damaged), refused("input", /cut short, or was written to/));
  const start = Number(bytes.readBigUInt64LE(bytes.length - 24));
  for (const at of [start, start + 1000, bytes.length - 57]) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    writeFileSync(damaged, changed);
    await assert.rejects(openModel(damaged), refused("input", /does not have its checksum.*field index/));
  }
});

/** The file with another index, under a checksum that is right. */
function withIndex(change: (index: Record<string, unknown>) => void): string {
  const bytes = readFileSync(made);
  const start = Number(bytes.readBigUInt64LE(bytes.length - 24));
  const index = JSON.parse(bytes.toString("utf8", start, bytes.length - 56));
  change(index);
  const text = Buffer.from(JSON.stringify(index));
  const footer = Buffer.from(bytes.subarray(-56));
  createHash("sha256").update(text).digest().copy(footer);
  footer.writeBigUInt64LE(BigInt(text.length), 40);
  const path = join(away, "made up");
  writeFileSync(path, Buffer.concat([bytes.subarray(0, start), text, footer]));
  return path;
}

const HOSTILE = [null, -1, 0, 1, 3, 2 ** 31, 2 ** 53, 1e308, 0.5, "", "x", "__proto__", [], {}, [[1]], true];

test("an index that was made to harm opens or is refused in one line, whatever it says", async () => {
  const sums = { opened: 0, refused: 0 };
  for (let seed = 1; seed <= 400; seed++) {
    const dice = new Dice(seed);
    let what = "";
    const path = withIndex((index) => {
      let at: Record<string, unknown> = index;
      let key = dice.of(Object.keys(at));
      while (typeof at[key] === "object" && at[key] !== null && dice.below(6) > 0) {
        const inner = at[key] as Record<string, unknown>;
        if (Object.keys(inner).length === 0) break;
        [at, key] = [inner, dice.of(Object.keys(inner))];
      }
      what = `seed ${seed}: ${key}`;
      if (dice.below(5) === 0) delete at[key];
      else at[key] = dice.of(HOSTILE);
    });
    try {
      const source = await openModel(path);
      const engine = await load(source, "auto").catch((error: unknown) => {
        source.close();
        throw error;
      });
      sums.opened++;
      engine.close();
      source.close();
    } catch (error) {
      assert.ok(error instanceof HunchError, `${what}: ${error instanceof Error ? error.stack : error}`);
      sums.refused++;
    }
  }
  assert.ok(sums.opened > 20 && sums.refused > 200, JSON.stringify(sums));
});

test("files of other versions of hunch are refused with what to do", async () => {
  const later = withIndex((index) => index.version = 7);
  await assert.rejects(openModel(later), refused("input", /another version of hunch.*convert the original again/));
  const other = withIndex((index) => Object.assign(index.weights as object, { version: 1 }));
  const source = await openModel(other);
  await assert.rejects(load(source, "auto"), refused("input", /another version of hunch.*convert the original again/));
  source.close();
});
