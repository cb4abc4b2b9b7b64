// What every engine must keep, told by running it: one pass, token by token, chunks and trees say the same; rejected
// rows leave nothing behind; scores agree with themselves; wrong use is refused. See docs/engines.md.
import type { Engine } from "../../backend.ts";
import { bitCases } from "./engine-bits.ts";
import { contractCases } from "./engine-contract.ts";
import { insideCases } from "./engine-inside.ts";
import { scoreCases } from "./engine-scores.ts";
import { stateCases } from "./engine-state.ts";
import { Bench, type EngineExpectations } from "./engine-bench.ts";
import type { Case } from "./case.ts";

export type { EngineExpectations } from "./engine-bench.ts";

/**
 * The cases of one engine, in the order in which they must run: they share one engine, loaded by the first and closed
 * by the last. `name` goes in front of every case's name.
 */
export function engineSuite(
  name: string,
  load: () => Promise<Engine>,
  expected: EngineExpectations = {},
): readonly Case[] {
  const bench = new Bench(load, expected);
  const cases = [
    ...contractCases(bench),
    ...bitCases(bench),
    ...stateCases(bench),
    ...scoreCases(bench),
    ...insideCases(bench),
    {
      name: "nothing works after the engine was closed",
      run: () => bench.finish(),
    },
  ];
  return cases.map((one) => ({ name: `${name}: ${one.name}`, run: one.run }));
}
