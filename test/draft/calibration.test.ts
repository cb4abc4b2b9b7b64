// What is learned of acceptance: from any start it comes to mean what it says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Calibration, logOdds } from "../../src/draft/calibration.ts";
import { hashed } from "../support/table-engine.ts";

test("probabilities come to be shares, kind by kind, from a wrong start", () => {
  const truth = [0.05, 0.3, 0.6, 0.95];
  const calibration = new Calibration([3, 3, -3, -3]);
  const kind = (which: number) => Float64Array.from(truth, (_, i) => i === which ? 1 : 0);
  for (let step = 0; step < 8000; step++) {
    const which = step % truth.length;
    calibration.see(kind(which), hashed(7, step) < truth[which]);
  }
  truth.forEach((share, which) => {
    const said = calibration.probability(kind(which));
    assert.ok(Math.abs(said - share) < 0.06, `${said} where ${share} are accepted`);
  });
});

test("a start that is trusted moves less than one that is not", () => {
  const moved = (trust: number) => {
    const calibration = new Calibration([0], trust);
    calibration.see(Float64Array.of(1), true);
    return calibration.probability(Float64Array.of(1));
  };
  assert.ok(moved(1) > moved(100) && moved(100) > 0.5);
});

test("log odds are finite where nothing or everything was accepted, and rise with hits", () => {
  assert.equal(logOdds(0, 0), 0);
  assert.ok(logOdds(0, 9) < logOdds(5, 9) && logOdds(5, 9) < logOdds(9, 9));
  assert.ok(Number.isFinite(logOdds(0, 1e6)) && Number.isFinite(logOdds(1e6, 1e6)));
});
