// A model with one broken number, wherever it stands, is refused by name, also where the device gives the verdict.
import { after, test } from "node:test";
import { webgpuBackend } from "../../kernels/webgpu/backend.ts";
import { refusesAll } from "./support/broken-model.ts";
import { holdGpu } from "./support/gpu.ts";

const skip = await holdGpu(after);

test("webgpu refuses it in float32", { skip }, () => refusesAll(webgpuBackend, "float32", ""));
