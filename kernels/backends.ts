// The backends that hunch comes with, registered as a stranger's are.
import type { Plugin } from "../src/plugins/plugin.ts";
import onnx from "./onnx/plugin.ts";
import reference from "./reference/plugin.ts";
import webgpu from "./webgpu/plugin.ts";

export const backends: readonly Plugin[] = [onnx, webgpu, reference];
