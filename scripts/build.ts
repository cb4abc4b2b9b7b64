// Makes one standalone file: Bun's runtime, hunch, ONNX Runtime's shared library, Dawn (WebGPU), HiGHS and the default
// model.
//
//   npm run build                              dist/hunch for this machine
//   npm run build -- --slim                    without the model (dist/hunch-slim): --model is then required
//   npm run build -- --target linux-arm64      for another system; Bun fetches that system's runtime from the registry
//   npm run build -- --outfile /tmp/hunch
//
// Bun compiles, so under Deno this starts itself again under Bun.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./process.ts";
import { command, CURRENT, ROOT } from "./runtimes.ts";

const MODEL = "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

/** Bun's name of a system, and where onnxruntime-node and webgpu keep what that system needs. */
const TARGETS: Record<string, { readonly folder: string; readonly dawn: string; readonly library: RegExp }> = {
  "linux-x64": { folder: "linux/x64", dawn: "linux-x64", library: /^libonnxruntime\.so/ },
  "linux-arm64": { folder: "linux/arm64", dawn: "linux-arm64", library: /^libonnxruntime\.so/ },
  "darwin-arm64": { folder: "darwin/arm64", dawn: "darwin-universal", library: /^libonnxruntime\.1\.dylib$/ },
  "windows-x64": { folder: "win32/x64", dawn: "win32-x64", library: /^onnxruntime\.dll$/ },
  "windows-arm64": { folder: "win32/arm64", dawn: "win32-arm64", library: /^onnxruntime\.dll$/ },
};

if (CURRENT !== "bun") {
  const { code, output } = await run([...command("bun"), "scripts/build.ts", ...process.argv.slice(2)]);
  console.log(output.trimEnd());
  process.exit(code === 0 ? 0 : 1);
}

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { slim: { type: "boolean", default: false }, target: { type: "string" }, outfile: { type: "string" } },
});
const here = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
const system = (values.target ?? here).replace(/^bun-/, "");
const target = TARGETS[system];
if (!target) fail(`no target ${JSON.stringify(system)}; there are ${Object.keys(TARGETS).join(", ")}`, 2);

const folder = `node_modules/onnxruntime-node/bin/napi-v6/${target.folder}`;
const library = existsSync(join(ROOT, folder)) && readdirSync(join(ROOT, folder)).find((n) => target.library.test(n));
if (!library) fail(`ONNX Runtime's library is not in ${folder}; run: npm install`, 1);
const dawn = `node_modules/webgpu/dist/${target.dawn}/dawn.node`;
if (!existsSync(join(ROOT, dawn))) fail(`Dawn's module is not at ${dawn}; run: npm install`, 1);
const carried = [`${folder}/${library}`, dawn, "node_modules/highs/build/highs.wasm", ...values.slim ? [] : [MODEL]];

const suffix = `${values.slim ? "-slim" : ""}${system.startsWith("windows") ? ".exe" : ""}`;
const outfile = values.outfile ?? join(ROOT, "dist", `hunch${suffix}`);
mkdirSync(dirname(outfile), { recursive: true });

/** As much of Bun's bundler as is used here. */
interface Bundler {
  build(options: Record<string, unknown>): Promise<{ success: boolean; logs: readonly unknown[] }>;
}
interface PluginBuild {
  onLoad(filter: { filter: RegExp }, load: () => { contents: string; loader: "ts" }): void;
}
const bun = (globalThis as unknown as { Bun: Bundler }).Bun;
let replaced = false;
const { success, logs } = await bun.build({
  entrypoints: [join(ROOT, "cli/main.ts")],
  minify: { whitespace: true, syntax: true },
  define: { "process.env.HUNCH_COMMIT": JSON.stringify(await commit()) }, // for cli/bench/machine.ts
  bytecode: true, // parsing everything took two thirds of the time of `hunch --version`
  format: "esm",
  compile: {
    outfile,
    ...values.target ? { target: `bun-${system}` } : {},
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
  plugins: [{
    name: "what the binary carries",
    setup(build: PluginBuild) {
      build.onLoad({ filter: /[\\/]src[\\/]assets[\\/]carried\.ts$/ }, () => {
        replaced = true;
        return { contents: carriedSource(), loader: "ts" };
      });
    },
  }],
});
if (!success) fail(logs.map(String).join("\n"), 1);
if (!replaced) fail("src/assets/carried.ts is not where this script looks for it: the binary carries nothing", 1);
console.log(`${outfile}: ${(statSync(outfile).size / 1e6).toFixed(0)} MB`);

/** Empty where this is no checkout. */
async function commit(): Promise<string> {
  const { code, output } = await run(["git", "-C", ROOT, "describe", "--always", "--dirty"]);
  return code === 0 ? output.trim() : "";
}

/** The module that takes the place of src/assets/carried.ts: the same function, over the files in the binary. */
function carriedSource(): string {
  const entries = carried.map((name, i) => {
    const content = readFileSync(join(ROOT, name));
    const sha256 = createHash("sha256").update(content).digest("hex");
    const about = JSON.stringify({ name, bytes: content.length, sha256 });
    return `{ ...${about}, read: async (from, to) => new Uint8Array(await Bun.file(file${i}).slice(from, to).arrayBuffer()) }`;
  });
  return [
    ...carried.map((name, i) => `import file${i} from ${JSON.stringify(join(ROOT, name))} with { type: "file" };`),
    `import { unpack } from ${JSON.stringify(join(ROOT, "src/assets/unpack.ts"))};`,
    `const files = [${entries.join(", ")}];`,
    "export async function carried(name, cacheDir) {",
    "  const file = files.find((file) => file.name === name);",
    "  return file && await unpack(file, cacheDir);",
    "}",
  ].join("\n");
}

function fail(message: string, code: number): never {
  console.error(`build: ${message}`);
  process.exit(code);
}
