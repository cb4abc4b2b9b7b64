// The rules of plugins/rules, made with their defaults.
import { loadTransport } from "../../src/math/transport.ts";
import type { VerificationRule } from "../../src/rule.ts";
import { block } from "../../plugins/rules/block.ts";
import { greedy } from "../../plugins/rules/greedy.ts";
import { importance } from "../../plugins/rules/importance.ts";
import { kSeq } from "../../plugins/rules/k-seq.ts";
import { match } from "../../plugins/rules/match.ts";
import { optimalTransport } from "../../plugins/rules/optimal-transport.ts";
import { recursive } from "../../plugins/rules/recursive.ts";
import { specHub } from "../../plugins/rules/spechub.ts";
import { token } from "../../plugins/rules/token.ts";
import { topAndOne } from "../../plugins/rules/top-and-one.ts";
import { traversal } from "../../plugins/rules/traversal.ts";

/** Token-level rules that judge a place without a solver. */
export const TOKEN_LEVEL = [match, token, recursive, kSeq, topAndOne, specHub, importance];

export async function losslessRules(): Promise<VerificationRule[]> {
  return [greedy, ...TOKEN_LEVEL, block, traversal, optimalTransport(await loadTransport())];
}
