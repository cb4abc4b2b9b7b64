// Loads ONNX Runtime and makes its environment; nothing else. Run as a process of its own by onnx-quiet.test.ts.
import { libraryPath } from "../../../kernels/onnx/library.ts";
import { Runtime } from "../../../kernels/onnx/runtime.ts";

const runtime = await Runtime.load(await libraryPath(""));
console.log(runtime.providers().join(" "));
process.exit(0);
