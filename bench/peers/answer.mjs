// One line of JSON in, one line out: how suites talk to a peer in a process of its own.
import { createInterface } from "node:readline";

/** Answers each request by the command that it names in `do`, an error by its stack, until stdin ends. */
export async function answer(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    try {
      console.log(JSON.stringify(await commands[request.do](request)));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
    }
  }
  process.exit(0);
}
