// Damaged and hostile GGUF files: one line with file, offset and field, at once and without much memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HunchError } from "../../src/errors.ts";
import { readGguf } from "../../src/model/files/gguf.ts";
import { openModel } from "../../src/model/open.ts";
import { Bytes, gguf, type GgufParts, value, written } from "./support/gguf-writer.ts";

const tensor = { name: "t", dimensions: [4], type: 0, offset: 0 };
const data = new Uint8Array(64);
const array = (type: number, count: bigint) => ({ type: 9, bytes: new Bytes().u32(type).u64(count).done() });
const string = (length: bigint) => ({ type: 8, bytes: new Bytes().u64(length).done() });
const entries = (key: string, item: { type: number; bytes: Uint8Array }): GgufParts => ({
  entries: [[key, item]],
  data,
});
const one = (change: object): GgufParts => ({ tensors: [{ ...tensor, ...change }], data });

/** What is written, what the complaint says, and its field. */
const CASES: [string, GgufParts, RegExp, string][] = [
  ["version 1", { version: 1 }, /GGUF version 1 is not supported/, "version"],
  ["another byte order", { version: 0x03000000 }, /big-endian/, "version"],
  [
    "2^60 metadata entries",
    { entryCount: 2n ** 60n, data },
    /1152921504606846976 entries are announced/,
    "metadata_kv_count",
  ],
  ["2^64 − 1 tensors", { tensorCount: 2n ** 64n - 1n, data }, /entries are announced/, "tensor_count"],
  ["a number array of 2^60", entries("k", array(4, 2n ** 60n)), /entries are announced/, "k"],
  ["an array of 2^62 doubles", entries("k", array(12, 2n ** 62n)), /entries are announced/, "k"],
  ["a string array of 2^61", entries("k", array(8, 2n ** 61n)), /entries are announced/, "k"],
  ["arrays in arrays", entries("k", array(9, 1n)), /arrays of arrays/, "k"],
  ["an array of an unknown type", entries("k", array(77, 1n)), /unknown array element type 77/, "k"],
  ["a value of an unknown type", entries("k", { type: 99, bytes: data }), /unknown metadata value type 99/, "k"],
  ["a string of 2^40 bytes", entries("k", string(2n ** 40n)), /1099511627776/, "k"],
  ["a string of 2^63 bytes", entries("k", string(2n ** 63n)), /9223372036854775808/, "k"],
  [
    "a string in a list of 2^62 bytes",
    entries("k", { type: 9, bytes: new Bytes().u32(8).u64(1).u64(2n ** 62n).done() }),
    /a text of 46116860184273\d+ bytes/,
    "k",
  ],
  [
    "text that is not UTF-8",
    entries("k", { type: 8, bytes: new Bytes().u64(2).raw(Uint8Array.of(0xff, 0xfe)).done() }),
    /not UTF-8/,
    "k",
  ],
  ["a key twice", { entries: [["k", value.u32(1)], ["k", value.u32(2)]] }, /appears twice/, "k"],
  ["alignment 0", { ...entries("general.alignment", value.u32(0)) }, /not a power of two/, "general.alignment"],
  ["alignment 3", { ...entries("general.alignment", value.u32(3)) }, /not a power of two/, "general.alignment"],
  [
    "alignment 2^31",
    { ...entries("general.alignment", value.u32(2 ** 31)) },
    /not a power of two/,
    "general.alignment",
  ],
  [
    "an alignment in words",
    { ...entries("general.alignment", value.text("x")) },
    /not a power of two/,
    "general.alignment",
  ],
  ["no dimensions", one({ dimensions: [] }), /0 dimensions/, "t"],
  ["five dimensions", one({ dimensions: [1, 1, 1, 1, 1] }), /5 dimensions/, "t"],
  ["a dimension of 0", one({ dimensions: [0] }), /dimension of 0/, "t"],
  ["dimensions that overflow", one({ dimensions: [2n ** 32n, 2n ** 32n] }), /is not possible/, "t"],
  ["a dimension of 2^64 − 1", one({ dimensions: [2n ** 64n - 1n] }), /is not possible/, "t"],
  ["an unknown tensor type", one({ type: 999 }), /unknown tensor type 999/, "t"],
  ["a known type that is not supported", one({ type: 16 }), /IQ2_XXS are not supported/, "t"],
  ["a row of half a block", one({ type: 2, dimensions: [16] }), /whole Q4_0 blocks/, "t"],
  ["an offset between alignments", one({ offset: 4 }), /not a multiple of 32/, "t"],
  ["an offset beyond the file", one({ offset: 2n ** 50n }), /beyond the end of the file/, "t"],
  ["a tensor that reaches beyond the file", one({ dimensions: [1000] }), /the file ends at/, "t"],
  ["two tensors in one place", { tensors: [tensor, { ...tensor, name: "u" }], data }, /overlaps t/, "u"],
  ["a tensor twice", { tensors: [tensor, tensor], data }, /appears twice/, "t"],
  ["a name of a megabyte", one({ name: "n".repeat(1 << 20) }), /too long/, "tensor name 0"],
];

function refusal(path: string): HunchError {
  try {
    readGguf(path).file.close();
  } catch (error) {
    assert.ok(error instanceof HunchError, String(error));
    return error;
  }
  throw new Error("the file was accepted");
}

for (const [what, parts, message, field] of CASES) {
  test(`${what}: refused with file, offset and field`, () => {
    const path = written(gguf(parts));
    const error = refusal(path);
    assert.equal(error.kind, "input");
    assert.match(error.message, message);
    assert.equal(error.place.file, path);
    assert.equal(error.place.field, field);
    if (field !== "general.alignment") assert.ok(error.place.offset !== undefined && error.place.offset >= 0);
    assert.ok(!error.line.includes("\n"));
  });
}

test("a file cut anywhere in its header is refused", () => {
  const whole = gguf({
    entries: [["a", value.text("text")], ["b", value.texts(["x", "yy"])], ["c", value.f32(1)]],
    tensors: [tensor],
    data,
  });
  for (let length = 0; length < whole.length - 48; length++) {
    const error = refusal(written(whole.subarray(0, length)));
    assert.equal(error.kind, "input", `cut to ${length}`);
  }
});

test("a model cut anywhere is refused when it is opened", async () => {
  const whole = readFileSync("test/fixtures/tiny/gguf/llama-f32.gguf");
  for (const part of [0, 3, 30, 1000, 6000, 9000, 100_000, whole.length - 1]) {
    const path = written(whole.subarray(0, part));
    await assert.rejects(openModel(path), (error) => error instanceof HunchError && error.place.file === path);
  }
});

test("hyper-parameters beyond reason are refused before anything is made of them", async () => {
  const whole = readFileSync("test/fixtures/tiny/gguf/llama-f32.gguf");
  const keys = [
    "block_count",
    "embedding_length",
    "attention.head_count",
    "attention.key_length",
    "rope.dimension_count",
  ];
  for (const key of keys) {
    for (const wrong of [0, 5, 2 ** 20, 2 ** 31, 2 ** 32 - 1]) {
      const bytes = Uint8Array.from(whole);
      const at = whole.indexOf(`llama.${key}`) + `llama.${key}`.length + 4;
      new DataView(bytes.buffer).setUint32(at, wrong, true);
      await assert.rejects(openModel(written(bytes)), (error) => {
        assert.ok(error instanceof HunchError, `${key} = ${wrong}: ${error}`);
        return error.kind === "input";
      });
    }
  }
});
