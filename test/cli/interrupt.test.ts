// Ctrl-C where the thread never comes to its handler.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { command, CURRENT, ROOT } from "../../scripts/runtimes.ts";
import { because } from "../support/skip.ts";
import { file, hunchProcess, TINY } from "./support/cli.ts";

const skip = process.platform === "win32" ? because("Windows has no sigaction") : false;

test("a plugin that computes for ever is left by the second Ctrl-C", { skip }, async () => {
  const plugin = file(
    "endless.ts",
    `import { writeSync } from "node:fs";
    export default { kind: "drafter", name: "endless", summary: "never done", create: () => ({
      name: "endless", laws: ["point"], begin() {}, observe() {},
      draft() { writeSync(1, "here"); while (true); } }) };`,
  );
  let first = true;
  const args = [...TINY, "--plugin", plugin, "-d", "endless", "--controller", "fixed", "Once upon", "-n", "50"];
  const { code } = await hunchProcess(args, {
    watch: (child, stdout) => {
      if (!first || !stdout.includes("here")) return;
      first = false;
      const interrupt = () => process.kill(child.pid!, "SIGINT"); // Deno's child.kill sends but one signal
      interrupt();
      setTimeout(interrupt, 500);
    },
  });
  assert.equal(code, 130);
});

test("the first Ctrl-C is a request, every time", { skip }, async () => {
  const script = file(
    "interrupts.ts",
    `import process from "node:process";
    import { interruptible } from ${JSON.stringify(join(ROOT, "cli/input/interrupt.ts"))};
    for (let i = 0; i < 3; i++) {
      await interruptible((signal) => new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => resolve());
        setTimeout(() => process.kill(process.pid, "SIGINT"), 20);
      }));
      console.log("stopped " + i);
    }
    process.exit(7);`,
  );
  const [program, ...flags] = [...command(CURRENT), ...CURRENT === "deno" ? ["run", "-A", "--no-check"] : []];
  const child = spawn(program, [...flags, script]);
  let out = "";
  child.stdout.on("data", (text) => out += text);
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.equal(out, "stopped 0\nstopped 1\nstopped 2\n");
  assert.equal(code, 7);
});
