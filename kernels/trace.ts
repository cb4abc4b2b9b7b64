// A pass as a line: how many rows after how many tokens, what was asked for, and the time. For src/trace.ts.
import type { Engine, Rows } from "../src/backend.ts";
import { chainParents } from "./rows.ts";

/** `past`: tokens in the cache. `ms`: from the rows to their scores. */
export function passLine(
  { name, source }: Pick<Engine, "name" | "source">,
  rows: Rows,
  past: number,
  ms: number,
): string {
  const { tokens, parents, score = "all", need = "all", verify } = rows;
  const { width, vocab } = source.spec;
  const chain = parents === undefined || chainParents(tokens.length).every((parent, row) => parents[row] === parent);
  const scored = score === "last" ? 1 : tokens.length;
  const asked = verify === undefined ? need : `verdict of ${verify.rule.name}`;
  return `  pass of ${name}: ${chain ? "chain" : "tree"} [${tokens.length}, ${width}] after ${past} tokens → ` +
    `logits [${scored}, ${vocab}], asked for ${asked}: ${ms.toFixed(2)} ms`;
}
