// `npm run fmt`: formats every source file as `npm run check` wants it.
import { run } from "./process.ts";
import { command } from "./runtimes.ts";

const { code, output } = await run([...command("deno"), "fmt"], { DENO_NO_UPDATE_CHECK: "1" });
console.log(output.trim());
process.exit(code);
