// Starts the Bun of node_modules with the arguments given. Dependencies run no scripts while they are installed
// (see .npmrc), so Bun's own step, linking its binary into place, is done here the first time. Settings come from
// bunfig.toml beside this file, not from the folder that the user happens to be in.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { constants } from "node:os";
import { isAbsolute } from "node:path";

const packageDir = fileURLToPath(new URL("../node_modules/bun/", import.meta.url));
const binary = `${packageDir}bin/bun.exe`; // Bun's package uses this name on every system
if (!existsSync(packageDir)) {
  console.error("hunch: Bun is not installed here; run: npm install");
  process.exit(1);
}
if (!existsSync(binary) || statSync(binary).size < 1_000_000) {
  const linked = spawnSync(process.execPath, ["install.js"], {
    cwd: packageDir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (linked.status !== 0) process.exit(linked.status ?? 1);
}
process.on("SIGINT", () => {}); // Ctrl-C reaches the child as well; it decides how to end
const config = `--config=${fileURLToPath(new URL("bunfig.toml", import.meta.url))}`;
const env = { ...process.env };
// Bun would keep what it has parsed in a folder of that name, wherever the user happens to be.
if (!isAbsolute(env.XDG_CACHE_HOME ?? "/")) delete env.XDG_CACHE_HOME;
const child = spawnSync(binary, [config, ...process.argv.slice(2)], { stdio: "inherit", env });
process.exit(child.status ?? 128 + (constants.signals[child.signal ?? "SIGTERM"] ?? 0));
