// Every lossless rule on every law it lists, in reduced form; `hunch check --all` is the whole of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXACT, proveRule } from "../../src/check/prove.ts";
import { failureLines } from "../../src/check/report.ts";
import { losslessRules } from "./rules.ts";

for (const rule of await losslessRules()) {
  for (const law of rule.laws) {
    test(`${rule.name} is lossless for the law ${law}`, () => {
      const report = proveRule(rule, { laws: [law], quick: true, seed: "test" });
      const [{ failure, worst }] = report.laws;
      assert.ok(report.holds, failure ? failureLines(rule.name, failure).join("\n") : "");
      assert.ok(worst <= EXACT);
    });
  }
}
