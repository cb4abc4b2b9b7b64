// A GPU in software for machines without one: SwiftShader, out of Debian's package chromium-common (31 MB), unpacked into
// node_modules/.cache without root. Prints the settings under which WebGPU finds it:
//
//   eval "$(node scripts/bun.mjs scripts/swiftshader.ts)"
//   npm start -- --backend webgpu "Once upon a time"
//
// `npm test -- --swiftshader` gives it to the tests, where there is no GPU.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { command, CURRENT, ROOT, type Runtime } from "./runtimes.ts";

const PACKAGE = "chromium-common";
const FOLDER = join(ROOT, "node_modules", ".cache", "swiftshader");
const DRIVER = "vk_swiftshader_icd.json";
const FILES = [DRIVER, "libvk_swiftshader.so", "libvulkan.so.1"];

/** Variables that say which Vulkan drivers there are. */
const CHOICES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/** What programs need in their environment to use SwiftShader. Throws an Error that says why it cannot be had. */
function swiftShader(): Record<string, string> {
  if (!existsSync(FOLDER)) install();
  const driver = join(FOLDER, DRIVER);
  const others = process.env.LD_LIBRARY_PATH;
  return {
    ...Object.fromEntries(CHOICES.map((name) => [name, driver])),
    LD_LIBRARY_PATH: others ? `${FOLDER}:${others}` : FOLDER, // libvulkan.so.1, where none is installed
  };
}

/**
 * What `runtime` needs in its environment for WebGPU: nothing where it finds a GPU or whoever runs this has chosen a
 * driver, otherwise SwiftShader. `told`: for people, which adapter that is, or why there is none.
 */
export function gpuFor(runtime: Runtime): { env: Record<string, string>; told: string } {
  const own = adapter(runtime, {});
  if (/\(hardware/.test(own) || CHOICES.some((name) => process.env[name])) return { env: {}, told: own };
  try {
    const env = swiftShader();
    return { env, told: adapter(runtime, env) };
  } catch (error) {
    return { env: {}, told: `${own}; no SwiftShader: ${error instanceof Error ? error.message : error}` };
  }
}

/** What scripts/adapter.ts says; in a process of its own, because drivers may crash. */
function adapter(runtime: Runtime, env: Record<string, string>): string {
  const flags = runtime === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : [];
  const [program, ...args] = [...command(runtime), ...flags, join("scripts", "adapter.ts")];
  const { stdout, stderr, status } = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  return stdout.trim() || stderr.trim().split("\n").at(-1) || `the search for an adapter ended with ${status}`;
}

function install(): void {
  if (process.platform !== "linux") throw new Error(`it comes from Debian, and this is ${process.platform}`);
  const work = mkdtempSync(join(tmpdir(), "hunch-swiftshader-"));
  try {
    try {
      tool(work, "apt-get", ["download", PACKAGE]);
    } catch {
      // The lists of packages are old or absent. Fresh ones, in a place that needs no root.
      for (const folder of ["lists/partial", "cache/archives/partial"]) {
        mkdirSync(join(work, folder), { recursive: true });
      }
      const place = ["-o", `Dir::State::lists=${work}/lists`, "-o", `Dir::Cache=${work}/cache`];
      let update: unknown; // what matters is the package: another source of this machine may be out of reach
      try {
        tool(work, "apt-get", [...place, "-o", "APT::Update::Error-Mode=any", "update"]);
      } catch (error) {
        update = error;
      }
      try {
        tool(work, "apt-get", [...place, "download", PACKAGE]);
      } catch (error) {
        throw update ?? error;
      }
    }
    const archive = readdirSync(work).find((name) => name.startsWith(`${PACKAGE}_`));
    if (!archive) throw new Error(`apt-get download ${PACKAGE} left no archive`);
    tool(work, "dpkg-deb", ["-x", archive, "unpacked"]);
    const made = `${FOLDER}.${process.pid}`; // complete or absent, also beside another of these
    mkdirSync(made, { recursive: true });
    for (const name of FILES) copyFileSync(join(work, "unpacked", "usr", "lib", "chromium", name), join(made, name));
    try {
      renameSync(made, FOLDER);
    } catch (error) {
      rmSync(made, { recursive: true });
      if (!existsSync(FOLDER)) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Throws an Error with the tool's own first word about what is wrong. */
function tool(folder: string, program: string, args: readonly string[]): void {
  const settings = program === "apt-get"
    ? ["-q", "-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]
    : [];
  const { error, status, stderr } = spawnSync(program, [...settings, ...args], {
    cwd: folder,
    env: { ...process.env, LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: 180_000,
  });
  if (error) throw new Error(`${program}: ${error.message}`);
  if (status !== 0) throw new Error(/^(?:E|dpkg-deb): .*/m.exec(stderr)?.[0] ?? `${program} ended with ${status}`);
}

if (import.meta.main) {
  try {
    const env = swiftShader();
    for (const [name, value] of Object.entries(env)) console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
    console.error(adapter(CURRENT, env));
  } catch (error) {
    console.error(`no SwiftShader: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
