// Logistic regression against its own definition, by gradient descent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fitLogistic, likelihoodOf, rankQuality } from "../../scripts/logistic.ts";
import { SeededChance } from "../../src/chance.ts";
import { Random } from "../../src/check/generate-cases.ts";

test("the fit is where gradient descent ends, and ranks what it was made of", () => {
  const random = new Random(new SeededChance(7));
  const features = Array.from({ length: 60 }, () => Float32Array.from([5 + 3 * random.normal(), random.normal() / 10]));
  const answers = features.map(([a, b]) => random.normal() + (a - 5) / 3 - 8 * b > 1);
  const ridge = 0.05;
  const fit = fitLogistic({ features, answers }, ridge);

  const by = (i: number) => features.map((x) => x[i]);
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  const means = [mean(by(0)), mean(by(1))];
  const deviations = means.map((m, i) => Math.sqrt(mean(by(i).map((x) => (x - m) ** 2))));
  const yes = answers.filter(Boolean).length;
  let [w0, w1, bias] = [0, 0, 0];
  for (let step = 0; step < 20_000; step++) {
    let [g0, g1, g] = [ridge * w0, ridge * w1, 0];
    features.forEach((x, n) => {
      const [z0, z1] = means.map((m, i) => (x[i] - m) / deviations[i]);
      const error = 1 / (1 + Math.exp(-(w0 * z0 + w1 * z1 + bias))) - (answers[n] ? 1 : 0);
      const weight = 1 / (2 * (answers[n] ? yes : 60 - yes));
      g0 += weight * error * z0;
      g1 += weight * error * z1;
      g += weight * error;
    });
    w0 -= 0.3 * g0;
    w1 -= 0.3 * g1;
    bias -= 0.3 * g;
  }
  features.forEach((x) => {
    const z = bias + w0 * (x[0] - means[0]) / deviations[0] + w1 * (x[1] - means[1]) / deviations[1];
    assert.ok(Math.abs(likelihoodOf(fit, x) - 1 / (1 + Math.exp(-z))) < 1e-6);
  });
  const quality = rankQuality(features.map((x) => likelihoodOf(fit, x)), answers);
  assert.ok(quality > 0.75 && quality < 1, String(quality));
  assert.equal(rankQuality([0.1, 0.9, 0.5], [false, true, true]), 1);
  assert.equal(rankQuality([0.1, 0.9, 0.5], [true, false, true]), 0);
});
