// What ONNX Runtime does besides computing: nothing, as far as we can see to it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../support/folder.ts";

test("ONNX Runtime neither identifies this machine nor collects reports about it", () => {
  const home = temporaryFolder();
  try {
    const flags = "Deno" in globalThis ? ["run", "-A", "--no-check", "--no-lock"] : [];
    const script = fileURLToPath(new URL("./support/load-runtime.ts", import.meta.url));
    const env: Record<string, string | undefined> = { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, "cache") };
    delete env.ORT_DISABLE_TELEMETRY;
    const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, script], { env, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /CPUExecutionProvider/);
    const written = readdirSync(home, { recursive: true }).map(String);
    assert.deepEqual(written.filter((path) => /microsoft|onnxruntime|deviceid/i.test(path)), []);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
