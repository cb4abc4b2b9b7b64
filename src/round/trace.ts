// A round as lines: what was planned, the draft as a tree, the verdict, and the time. For src/trace.ts.
import type { Round } from "../controller.ts";
import { probability } from "../math/distribution.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { tracing } from "../trace.ts";
import { depths } from "../tree.ts";

/** Tells whoever listens of a round. */
export function traceRound(tokenizer: Tokenizer, root: number, round: Round): void {
  const trace = tracing();
  if (trace) roundLines(tokenizer, root, round).forEach((line) => trace(line));
}

/**
 * `root`: the token that the draft continues. ● marks accepted nodes, ○ the others. Of a draft that was drawn each node
 * has q, the probability it was drawn with; of another, its confidence where the drafter tells it.
 */
function roundLines(
  tokenizer: Tokenizer,
  root: number,
  { plan, tree, verdict: { path, next }, rows, draftMs, verifyMs }: Round,
): string[] {
  const told = (token: number) => {
    const bytes = tokenizer.bytes(token);
    return `${token} ${bytes.length > 0 ? JSON.stringify(new TextDecoder().decode(bytes)) : tokenizer.name(token)}`;
  };
  const accepted = new Set(path);
  const levels = depths(tree);
  const nodes = Array.from(tree.tokens, (token, node) => {
    const q = tree.q(tree.parents[node]);
    const likely = q === undefined ? tree.confidence?.[node] : probability(q, token);
    const mark = accepted.has(node) ? "●" : "○";
    return `${"  ".repeat(levels[node])}${mark} ${told(token)}${likely === undefined ? "" : ` ${likely.toFixed(2)}`}`;
  });
  const wanted = plan.nodes === 0 ? "no draft" : `${plan.nodes} nodes, ${plan.depth} deep`;
  return [
    `round after ${told(root)}: planned ${wanted}; drafted ${tree.tokens.length} (${tree.law}) in ${ms(draftMs)}`,
    ...nodes,
    `  accepted ${path.length}, then ${told(next)}; pass of ${rows} rows and verdict in ${ms(verifyMs)}`,
  ];
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
