// The WebGPU adapter that hunch uses on this machine, once it has passed the self-test. Exit code 4 where none does, with
// the reason on stderr.
//
//   node scripts/bun.mjs scripts/adapter.ts    or    npx deno run -A scripts/adapter.ts
import { findAdapter } from "../kernels/webgpu/adapter.ts";
import { Device } from "../kernels/webgpu/device.ts";
import { selfTest } from "../kernels/webgpu/self-test.ts";
import { HunchError } from "../src/errors.ts";

try {
  const found = await findAdapter(undefined, "");
  const device = await Device.open(found);
  const exact = await device.tested(() => selfTest(device));
  device.close();
  const kind = found.software ? "software" : "hardware";
  console.log(`webgpu:${found.provider}: ${found.name} (${kind}${exact ? "" : "; rows change each other's bits"})`);
} catch (error) {
  if (!(error instanceof HunchError)) throw error;
  console.error(error.line);
  process.exit(error.exitCode);
}
process.exit(0); // Dawn has threads of its own
