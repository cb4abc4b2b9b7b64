// greedy on ONNX Runtime: the graph of the pass found the likeliest tokens already.
import { walkDown } from "../../../src/draft/walk.ts";
import type { OnnxRule } from "./onnx-rule.ts";

export const greedy: OnnxRule = {
  name: "greedy",
  argmaxOnly: true,
  verify: (tree, pass) => walkDown(tree, ({ row }) => pass.argmax(row)),
};
