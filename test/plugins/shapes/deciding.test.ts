// What Deciding learns where the pass leaves nodes of a draft out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Deciding } from "../../../plugins/shapes/deciding.ts";
import { Growing } from "../../../plugins/shapes/growing.ts";
import { LIKELIEST } from "../../../src/draft/proposed.ts";
import { dense } from "../../../src/math/distribution.ts";
import { eldestChain } from "../../../src/round/draft.ts";
import type { DraftTree } from "../../../src/tree.ts";

const PROPOSER = {
  vocab: 4,
  sync: () => Promise.resolve(),
  propose: ({ tokens }: { tokens: Int32Array }) =>
    Promise.resolve(Array.from({ length: Math.max(1, tokens.length) }, () => dense([0.6, 0.3, 0.09, 0.01]))),
};

/** So many children of the root, and as many of the eldest. */
async function drafted(deciding: Deciding, width: number): Promise<DraftTree> {
  deciding.begin();
  const growing = new Growing(PROPOSER, { nodes: 8, depth: 2 });
  for (const parent of [-1, 0]) {
    await growing.ask([parent]);
    deciding.see(growing, parent, growing.addDistinct(parent, width, LIKELIEST));
  }
  return growing.tree("distinct");
}

/** At which of a hundred thresholds anything is drawn below the first node, once 40 eldest chains were verified. */
async function learned(width: number): Promise<boolean[]> {
  const goes: boolean[] = [];
  for (let percent = 1; percent <= 100; percent++) {
    const deciding = new Deciding(percent / 100);
    for (let round = 0; round < 40; round++) {
      const tree = eldestChain(await drafted(deciding, width));
      deciding.observe({ tree, verdict: { path: Int32Array.of(0, 1).subarray(0, round % 3), next: 0 } } as never);
    }
    await drafted(deciding, width);
    goes.push(deciding.goesOn(0));
  }
  return goes;
}

test("of a tree of which the eldest chain was verified, it learns what it learns of that chain", async () => {
  assert.deepEqual(await learned(3), await learned(1));
});
