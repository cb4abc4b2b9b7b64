// Where ONNX Runtime's shared library is.
import { packageFile } from "../../src/assets/assets.ts";
import { UnsupportedError } from "../../src/errors.ts";

/** The library's file name on each system; the package has one folder per system and processor. */
const FILES: Readonly<Record<string, string>> = {
  linux: "libonnxruntime.so.1",
  darwin: "libonnxruntime.1.dylib",
  win32: "onnxruntime.dll",
};

/** Path inside the package, e.g. `bin/napi-v6/linux/x64/libonnxruntime.so.1`; undefined where there is none. */
function libraryInPackage(platform: string = process.platform, arch: string = process.arch): string | undefined {
  const file = FILES[platform];
  return file && `bin/napi-v6/${platform}/${arch}/${file}`;
}

/** Throws UnsupportedError where this system has no library. */
export async function libraryPath(cacheDir: string): Promise<string> {
  const inside = libraryInPackage();
  const path = inside && await packageFile("onnxruntime-node", inside, cacheDir);
  if (path) return path;
  throw new UnsupportedError(`ONNX Runtime has no library for ${process.platform} on ${process.arch} here`, {
    hint: "run npm install, or use --backend reference for small models",
  });
}
