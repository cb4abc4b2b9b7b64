// The measured side of child.ts: a line of JSON asks for one of the commands, a line answers.
import { createInterface } from "node:readline";

// deno-lint-ignore no-explicit-any -- what each command takes is the business of whoever asks for it
export type Commands = Record<string, (request: any) => unknown>;

/** Answers until nobody asks any more, then ends the process. */
export async function serve(commands: Commands): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: what, ...request } = JSON.parse(line);
    try {
      console.log(JSON.stringify(await commands[what](request)));
    } catch (error) {
      console.log(JSON.stringify({ error: error instanceof Error ? error.stack : String(error) }));
    }
  }
  process.exit(0);
}
