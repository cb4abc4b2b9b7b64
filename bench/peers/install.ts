// Installs what hunch is measured against, once, into bench/peers/node_modules: from the registry, running no scripts,
// and of the native packages only the one for this machine's processor.
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { run } from "../../scripts/process.ts";
import { ROOT } from "../../scripts/runtimes.ts";

const folder = `${ROOT}bench/peers`;
const FLAGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--no-save"];

/** The version of node-llama-cpp in use. `gpu`: with the binaries for Vulkan. Throws where it cannot be installed. */
export async function installPeers(gpu = false): Promise<string> {
  const version = versionIn(folder, "node-llama-cpp");
  const binaries = `@node-llama-cpp/${platform()}`;
  const names = ["node-llama-cpp", binaries, ...gpu ? [`${binaries}-vulkan`] : []];
  if (names.every((name) => existsSync(`${folder}/node_modules/${name}`))) return version;
  console.error(`installing node-llama-cpp into bench/peers (${gpu ? 155 : 85} MB, once)`);
  await install(folder, ["--omit=optional", ...names.map((name) => `${name}@${version}`)]);
  return version;
}

/** The version of transformers.js in use. Throws where it cannot be installed. */
export async function installTransformers(): Promise<string> {
  const own = `${folder}/transformers`;
  if (!existsSync(`${own}/node_modules/@huggingface/transformers`)) {
    console.error("installing transformers.js into bench/peers/transformers (475 MB, once)");
    await install(own, []);
  }
  return versionIn(own, "@huggingface/transformers");
}

function versionIn(folder: string, name: string): string {
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8")).dependencies[name];
}

async function install(folder: string, words: readonly string[]): Promise<void> {
  const { code, output } = await run(["npm", "install", "--prefix", folder, ...FLAGS, ...words]);
  if (code !== 0) throw new Error(`npm could not install what hunch is measured against:\n${output}`);
}

/** node-llama-cpp's name for this machine. */
function platform(): string {
  const arch = process.arch;
  if (process.platform === "darwin") return arch === "arm64" ? "mac-arm64-metal" : "mac-x64";
  return `${process.platform === "win32" ? "win" : "linux"}-${arch}`;
}
