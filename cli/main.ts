#!/usr/bin/env -S deno run -A --no-prompt
// Where `hunch` starts. Asking for the version loads nothing else, so that scripts may ask often.
import process from "node:process";
import { VERSION } from "./version.ts";
import { stdout } from "./output/streams.ts";

const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  stdout.line(`hunch ${VERSION}`);
  process.exit(0);
}
const { run } = await import("./run.ts");
// Native libraries may keep threads and handles; what had to be written is written by now.
process.exit(await run(args));
