#!/usr/bin/env -S deno run -A --no-prompt
// Where `hunch` starts. Asking for the version loads nothing else, so that scripts may ask often.
import process from "node:process";
import { VERSION } from "./version.ts";
import { complain } from "./output/failure.ts";
import { stdout } from "./output/streams.ts";

const args = process.argv.slice(2);
// Then writing past a limit (ulimit -f) fails as other writes do, with one line, and does not kill.
if (process.platform !== "win32") process.on("SIGXFSZ", () => {});
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  let code = 0;
  try {
    stdout.line(`hunch ${VERSION}`);
  } catch (error) {
    code = complain(error, false);
  }
  process.exit(code);
}
const { run } = await import("./run.ts");
// Native libraries may keep threads and handles; what had to be written is written by now.
process.exit(await run(args));
