// What is made of the logits on the device: the likeliest tokens and the soft-max, against the same in float64, over
// vocabularies that fill no tile.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Device } from "../../kernels/webgpu/device.ts";
import { BEST_WORDS } from "../../kernels/webgpu/kernels.ts";
import { MOST_CANDIDATES } from "../../src/backend.ts";
import { uploadFloats } from "../../kernels/webgpu/matrix.ts";
import { bestSteps, candidatesStep, Recorder, softmaxStep } from "../../kernels/webgpu/steps.ts";
import { holdGpu, openDevice, readFloats } from "./support/gpu.ts";
import { randomFrom } from "./support/random.ts";

const skip = await holdGpu(after);
let opened: Promise<Device> | undefined;
const gpu = () => opened ??= openDevice();
after(async () => (await opened)?.close());

interface Found {
  readonly best: Uint32Array; // [scored, BEST_WORDS]
  readonly sums: Float32Array; // the same memory as numbers
  readonly probabilities: Float32Array; // [scored, vocab]
  readonly candidates: Uint32Array; // [scored, MOST_CANDIDATES, 2]
}

/** Everything that the device makes of `logits` [scored, vocab]. */
async function compute(logits: Float32Array, vocab: number, temperature: number): Promise<Found> {
  const device = await gpu();
  const scored = logits.length / vocab;
  const pass = device.uniform(32, "pass");
  device.write(pass, Uint32Array.of(scored, 0, 0, 0, scored));
  device.write(pass, Float32Array.of(temperature), 20);
  const bench = { device, pass, nothing: device.storage(16, "nothing") };
  const scores = { buffer: uploadFloats(device, logits, "logits") };
  const best = device.storage(scored * BEST_WORDS * 4, "best");
  const probabilities = { buffer: device.storage(logits.byteLength, "probabilities") };
  const candidates = device.storage(scored * MOST_CANDIDATES * 8, "candidates");
  const steps = [
    ...bestSteps(bench, vocab, scores, best),
    softmaxStep(bench, vocab, scores, best, probabilities),
    candidatesStep(bench, vocab, scores, candidates),
  ];
  const recorder = new Recorder(device);
  const width = { rows: scored, scored };
  const pipelines = await recorder.prepare(steps, width);
  const encoder = device.gpu.createCommandEncoder();
  recorder.record(encoder, steps, pipelines, width, []);
  device.submit(encoder);
  const sums = await readFloats(device, best, scored * BEST_WORDS);
  const found = {
    best: new Uint32Array(sums.buffer),
    sums,
    probabilities: await readFloats(device, probabilities.buffer, logits.length),
    candidates: new Uint32Array((await readFloats(device, candidates, scored * MOST_CANDIDATES * 2)).buffer),
  };
  for (const buffer of [pass, bench.nothing, scores.buffer, best, probabilities.buffer, candidates]) {
    device.destroy(buffer);
  }
  return found;
}

const random = randomFrom(15);
/** Scores of which some are equal. */
const drawn = (length: number) => Float32Array.from({ length }, () => Math.round(random.normal() * 256) / 64);

/** The row's soft-max in float64. */
function softmax(logits: Float32Array, temperature: number): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const weights = Float64Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

const ULP = 2 ** -23;
const SMALLEST = 2 ** -126; // below it a GPU may round to 0

/** WGSL lets exp(x) be off by 3 + 2|x| ulp and a division by 2.5; what exp is of was rounded itself. */
function nearSoftmax(found: Float32Array, logits: Float32Array, temperature: number): void {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  softmax(logits, temperature).forEach((wanted, token) => {
    const off = Math.abs(found[token] - wanted);
    const away = Math.min(104, (highest - logits[token]) / temperature);
    const most = (12 + 6 * away) * ULP * wanted + SMALLEST;
    assert.ok(off <= most, `token ${token}: ${found[token]} instead of ${wanted}, off by ${off / wanted / ULP} ulp`);
  });
}

for (
  const [vocab, scored, temperature] of [
    [2, 1, 1],
    [3, 64, 0.05],
    [255, 3, 5],
    [1025, 5, 0.3],
    [49_152, 2, 1],
    [200_003, 1, 0.7],
  ]
) {
  const what = `${scored} × ${vocab} at ${temperature}`;
  test(`probabilities of ${what} are the soft-max in float64, candidates those of a sort`, { skip }, async () => {
    const logits = drawn(scored * vocab);
    const { probabilities, sums, candidates } = await compute(logits, vocab, temperature);
    for (let row = 0; row < scored; row++) {
      const at = [row * vocab, (row + 1) * vocab];
      const sum = 1 / softmax(logits.subarray(...at), temperature).reduce((a, b) => Math.max(a, b));
      const off = Math.abs(sums[row * BEST_WORDS + 4] / sum - 1) / ULP;
      assert.ok(off <= 40, `the sum is off by ${off} ulp`);
      nearSoftmax(probabilities.subarray(...at), logits.subarray(...at), temperature);
      const found = candidates.slice(row * 2 * MOST_CANDIDATES, (row + 1) * 2 * MOST_CANDIDATES);
      assert.deepEqual(found, sorted(logits.subarray(...at)));
    }
  });
}

test("a score of −∞ has no probability, and whole stretches of them change nothing", { skip }, async () => {
  const vocab = 5000;
  const logits = new Float32Array(2 * vocab).fill(-Infinity);
  for (const token of [1, 3, 4999]) logits[token] = 2;
  logits[vocab + 4321] = -70;
  const { probabilities } = await compute(logits, vocab, 0.05);
  for (let token = 0; token < vocab; token++) {
    const wanted = [1, 3, 4999].includes(token) ? 1 / 3 : 0;
    assert.ok(Math.abs(probabilities[token] - wanted) <= 2 * ULP, `token ${token}: ${probabilities[token]}`);
    assert.equal(probabilities[vocab + token], token === 4321 ? 1 : 0);
  }
});

/** The first of a plain sort, as the device has them. */
function sorted(logits: Float32Array): Uint32Array {
  const words = new Uint32Array(2 * MOST_CANDIDATES);
  for (let i = 0; i < words.length; i += 2) words[i] = 0xffffffff;
  const bits = new Uint32Array(logits.buffer, logits.byteOffset, logits.length);
  [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, MOST_CANDIDATES)
    .forEach((token, i) => words.set([token, bits[token]], 2 * i));
  return words;
}

const ROWS: Readonly<Record<string, (vocab: number) => Float32Array>> = {
  "drawn scores": drawn,
  "equal scores": (vocab) => new Float32Array(vocab).fill(-1.5),
  "scores of which few differ": (vocab) => drawn(vocab).map((score) => Math.max(-1, Math.min(2, Math.round(score)))),
  "rising scores": (vocab) => Float32Array.from({ length: vocab }, (_, token) => token),
  "falling scores": (vocab) => Float32Array.from({ length: vocab }, (_, token) => -token),
  // All in the hands of one thread, and of one stretch.
  "high scores 256 apart": (vocab) => Float32Array.from({ length: vocab }, (_, token) => token % 256 ? -1 : token / 64),
  "high scores in a stretch": (vocab) =>
    Float32Array.from({ length: vocab }, (_, t) => t >= 500 && t < 600 ? t % 7 : 0),
  "−0 and 0": (vocab) => Float32Array.from({ length: vocab }, (_, token) => token % 3 ? -0 : 0),
  "little above −∞": (vocab) => Float32Array.from({ length: vocab }, (_, token) => token % 97 === 5 ? -3 : -Infinity),
};

for (const vocab of [2, 3, 63, 64, 65, 255, 257, 1025, 3001, 16_385, 49_152]) {
  test(`best and candidates of a vocabulary of ${vocab} are the first of a plain sort`, { skip }, async () => {
    const rows = Object.entries(ROWS);
    const logits = new Float32Array(rows.length * vocab);
    rows.forEach(([, make], row) => logits.set(make(vocab), row * vocab));
    const { best, candidates } = await compute(logits, vocab, 1);
    rows.forEach(([name], row) => {
      const found = candidates.slice(row * 2 * MOST_CANDIDATES, (row + 1) * 2 * MOST_CANDIDATES);
      const wanted = sorted(logits.subarray(row * vocab, (row + 1) * vocab));
      assert.deepEqual(found, wanted, name);
      assert.deepEqual(best.slice(row * BEST_WORDS, row * BEST_WORDS + 4), wanted.slice(0, 4), name);
    });
  });
}

test("what is found in a row has the same bits alone and beside others", { skip }, async () => {
  const [vocab, scored] = [3001, 9];
  const logits = drawn(scored * vocab);
  const beside = await compute(logits, vocab, 0.6);
  for (const row of [0, 4, 8]) {
    const alone = await compute(logits.slice(row * vocab, (row + 1) * vocab), vocab, 0.6);
    assert.deepEqual(
      alone.candidates,
      beside.candidates.slice(row * MOST_CANDIDATES * 2, (row + 1) * MOST_CANDIDATES * 2),
    );
    assert.deepEqual(alone.best, beside.best.slice(row * BEST_WORDS, (row + 1) * BEST_WORDS));
    assert.deepEqual(alone.probabilities, beside.probabilities.slice(row * vocab, (row + 1) * vocab));
  }
});
