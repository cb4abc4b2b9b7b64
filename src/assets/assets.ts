// Files that come with hunch: native libraries of npm packages, and the default model. From the source they lie in
// node_modules and beside the code; a standalone binary carries them and unpacks them into the cache folder.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { carried } from "./carried.ts";

/** The path of a file inside an npm package, such as `dist/linux-x64/dawn.node` of `webgpu`; undefined where it is not here. */
export async function packageFile(name: string, file: string, cacheDir: string): Promise<string | undefined> {
  const unpacked = await carried(`node_modules/${name}/${file}`, cacheDir);
  if (unpacked !== undefined) return unpacked;
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined; // not installed
  }
}

/** The path of a file of the source tree, such as `models/…/….gguf`; undefined where it is not here. */
export async function sourceFile(file: string, cacheDir: string): Promise<string | undefined> {
  const unpacked = await carried(file, cacheDir);
  if (unpacked !== undefined) return unpacked;
  const url = new URL(`../../${file}`, import.meta.url);
  if (url.protocol !== "file:") return undefined;
  const path = fileURLToPath(url);
  return existsSync(path) ? path : undefined;
}
