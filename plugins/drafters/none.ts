// none: no draft at all. Plain decoding, the measure of everything else.
import type { Drafter } from "../../src/drafter.ts";
import { definePlugin } from "../../src/plugins/plugin.ts";
import { EMPTY_TREE } from "../../src/tree.ts";

export const none: Drafter = {
  name: "none",
  laws: [],
  begin() {},
  draft: () => EMPTY_TREE,
  observe() {},
};

export default definePlugin({
  kind: "drafter",
  name: "none",
  summary: "no drafting: plain decoding",
  create: () => none,
});
