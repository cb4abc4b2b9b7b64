// The verification rules that ONNX Runtime runs, by the names that rules give themselves (VerificationRule.device).
import { greedy } from "./greedy.ts";
import type { OnnxRule } from "./onnx-rule.ts";
import { recursive } from "./recursive.ts";
import { token } from "./token.ts";
import { typical } from "./typical.ts";

export const RULES: ReadonlyMap<string, OnnxRule> = new Map(
  [greedy, token, recursive, typical].map((rule) => [rule.name, rule]),
);
