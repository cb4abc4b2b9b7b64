// The backend `webgpu` as a plugin. What it needs is loaded when it is chosen: it costs nothing to those who use another.
import { definePlugin } from "../../src/plugins/plugin.ts";

export default definePlugin({
  kind: "backend",
  name: "webgpu",
  summary: "our own kernels on graphics hardware",
  argument: "[PROVIDER]",
  create: async () => (await import("./backend.ts")).webgpuBackend,
});
