// Where ONNX Runtime's shared library is: inside the npm package onnxruntime-node, or where a standalone binary put it.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UnsupportedError } from "../../src/errors.ts";

/** The library's file name on each system; the package has one folder per system and processor. */
const FILES: Readonly<Record<string, string>> = {
  linux: "libonnxruntime.so.1",
  darwin: "libonnxruntime.1.dylib",
  win32: "onnxruntime.dll",
};

/** Path inside the package, e.g. `bin/napi-v6/linux/x64/libonnxruntime.so.1`; undefined where there is none. */
export function libraryInPackage(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const file = FILES[platform];
  return file && `bin/napi-v6/${platform}/${arch}/${file}`;
}

let locate: ((cacheDir: string) => Promise<string | undefined>) | undefined;

/** For standalone binaries: a function that unpacks the library and says where it is. */
export function setLibraryLocator(locator: (cacheDir: string) => Promise<string | undefined>): void {
  locate = locator;
}

/** Throws UnsupportedError where this system has no library. */
export async function libraryPath(cacheDir: string): Promise<string> {
  const unpacked = await locate?.(cacheDir);
  if (unpacked) return unpacked;
  const inside = libraryInPackage();
  try {
    const packageJson = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
    const path = join(dirname(packageJson), inside ?? "");
    if (inside && existsSync(path)) return path;
  } catch {
    // Not installed: the same refusal.
  }
  throw new UnsupportedError(`ONNX Runtime has no library for ${process.platform} on ${process.arch} here`, {
    hint: "run npm install, or use --backend reference for small models",
  });
}
