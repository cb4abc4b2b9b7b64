// The backend `reference` as a plugin. What it needs is loaded when it is chosen: it costs nothing to those who use another.
import { definePlugin } from "../../src/plugins/plugin.ts";

export default definePlugin({
  kind: "backend",
  name: "reference",
  summary: "float64 in plain TypeScript, for small models: slow, and the measure of the others",

  create: async () => (await import("./backend.ts")).referenceBackend,
});
