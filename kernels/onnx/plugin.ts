// The backend `onnx` as a plugin. What it needs is loaded when it is chosen: it costs nothing to those who use another.
import { definePlugin } from "../../src/plugins/plugin.ts";

export default definePlugin({
  kind: "backend",
  name: "onnx",
  summary: "ONNX Runtime, on the processor or by an execution provider",
  argument: "[PROVIDER]",
  create: async () => (await import("./backend.ts")).onnxBackend,
});
