// Finding a GPU: Dawn from the npm package `webgpu`, whose native module is loaded by its path, wherever a standalone
// binary unpacked it; else the runtime's own WebGPU (Deno).
import { createRequire } from "node:module";
import { packageFile } from "../../src/assets/assets.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import { gist, overhear } from "./overhear.ts";

/** Where WebGPU comes from, first choice first: Deno's own looks for results only every 10 ms or so, a pass's worth. */
export const PROVIDERS = ["dawn", "builtin"] as const;
export type Provider = typeof PROVIDERS[number];

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  /** For people: vendor and device as the adapter tells them. */
  readonly name: string;
  /** The processor in a graphics adapter's place: right, and slower than what is written for processors. */
  readonly software: boolean;
  readonly provider: Provider;
}

/** Path of Dawn's native module inside the package, e.g. `dist/linux-x64/dawn.node`. */
function moduleInPackage(platform: string = process.platform, arch: string = process.arch): string {
  return `dist/${platform}-${platform === "darwin" ? "universal" : arch}/dawn.node`;
}

/** Dawn is alive as long as this is reachable. */
let dawn: GPU | undefined;

async function dawnGpu(cacheDir: string): Promise<GPU | undefined> {
  if (dawn) return dawn;
  const path = await packageFile("webgpu", moduleInPackage(), cacheDir);
  if (path === undefined) return undefined;
  return dawn = (createRequire(import.meta.url)(path) as { create(options: string[]): GPU }).create([]);
}

function builtinGpu(): GPU | undefined {
  return (globalThis.navigator as { gpu?: GPU } | undefined)?.gpu;
}

/** Throws UnsupportedError where there is no adapter. */
export async function findAdapter(provider: string | undefined, cacheDir: string): Promise<FoundAdapter> {
  if (provider !== undefined && !PROVIDERS.some((known) => known === provider)) {
    throw new HunchError("usage", `there is no WebGPU provider ${provider}`, {
      hint: `use one of ${PROVIDERS.join(", ")}`,
    });
  }
  const refusals: string[] = [];
  for (const kind of PROVIDERS) {
    if (provider !== undefined && provider !== kind) continue;
    try {
      const gpu = kind === "builtin" ? builtinGpu() : await dawnGpu(cacheDir);
      if (!gpu) {
        refusals.push(kind === "builtin" ? "this runtime has none of its own" : "Dawn has no module for this system");
        continue;
      }
      const { result: adapter, said } = await overhear(() =>
        gpu.requestAdapter({ powerPreference: "high-performance" })
      );
      if (adapter) {
        const name = describe(adapter);
        return { adapter, name, provider: kind, software: isSoftware(name, adapter.info.isFallbackAdapter) };
      }
      refusals.push([kind, "no adapter", gist(said)].filter((part) => part !== "").join(": "));
    } catch (error) {
      refusals.push(`${kind}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new UnsupportedError(`there is no WebGPU adapter here (${refusals.join("; ")})`, {
    hint: provider === "builtin" && !builtinGpu()
      ? "run hunch under Deno, or use --backend webgpu:dawn"
      : "install a Vulkan driver, or use --backend onnx",
  });
}

/** The name of the graphics hardware. Throws UnsupportedError where there is none: a short one, for a line of many. */
export async function findHardware(cacheDir: string): Promise<string> {
  const { name, software } = await findAdapter(undefined, cacheDir).catch((error) => {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new UnsupportedError("there is no adapter (--backend webgpu says why)");
  });
  if (software) throw new UnsupportedError(`the only adapter is software (${name})`);
  return name;
}

/** `fallback`: the adapter's own word; not all who compute on the processor admit it. */
export function isSoftware(name: string, fallback: boolean | undefined): boolean {
  return fallback === true || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|\bcpu\b/i.test(name);
}

function describe({ info }: GPUAdapter): string {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter((part) => /[a-z]/i.test(part));
  return [...new Set(parts)].join(" ") || "an adapter without a name";
}
