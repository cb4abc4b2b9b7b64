// The verification rules that the device runs, by the names that rules give themselves (VerificationRule.device).
import { block } from "./block.ts";
import type { RuleOnDevice } from "./device-rule.ts";
import { greedy } from "./greedy.ts";
import { recursive } from "./recursive.ts";
import { token } from "./token.ts";
import { topAndOne } from "./top-and-one.ts";
import { typical } from "./typical.ts";

export const RULES: ReadonlyMap<string, RuleOnDevice> = new Map(
  [greedy, token, block, recursive, topAndOne, typical].map((rule) => [rule.name, rule]),
);
