// The shapes of plugins/shapes, small enough to follow every branch.
import { beam } from "../../../plugins/shapes/beam.ts";
import { chain } from "../../../plugins/shapes/chain.ts";
import { Delayed } from "../../../plugins/shapes/delayed.ts";
import { dynamic } from "../../../plugins/shapes/dynamic.ts";
import { dySpec } from "../../../plugins/shapes/dyspec.ts";
import { endingGumbel, gumbel } from "../../../plugins/shapes/gumbel.ts";
import { iid } from "../../../plugins/shapes/iid.ts";
import { optTree } from "../../../plugins/shapes/opt-tree.ts";
import { Sequoia } from "../../../plugins/shapes/sequoia.ts";
import { fixedTree, usualForm } from "../../../plugins/shapes/static.ts";
import { TargetInit } from "../../../plugins/shapes/target-init.ts";
import { topAndOne } from "../../../plugins/shapes/top-and-one.ts";
import { topK } from "../../../plugins/shapes/top-k.ts";
import type { TreeShape } from "../../../src/shape.ts";

/** New ones: some of them learn. */
export function allShapes(): TreeShape[] {
  return [
    chain,
    fixedTree(usualForm(), "point"),
    topK([2, 1]),
    dynamic(2),
    optTree(0),
    fixedTree(usualForm(), "distinct"),
    gumbel([2, 1]),
    new Sequoia(() => NaN, 3),
    endingGumbel([2, 1], 0.2),
    new TargetInit(2, [1], 0.2),
    beam(2),
    dySpec(0),
    topAndOne([2, 1]),
    iid(2),
    new Delayed(2),
  ];
}
