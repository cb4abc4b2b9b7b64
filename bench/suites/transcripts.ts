// What the commands print that documents show after a `$`, one after the other.
import { transcribed } from "../../scripts/numbers.ts";
import { Terminal } from "../terminal.ts";
import type { Suite } from "../suite.ts";

const suite: Suite = {
  summary: "What the commands print that documents show",
  async run() {
    const terminal = new Terminal();
    try {
      const parts = transcribed().map((line) => {
        console.error(line);
        const { stdout, stderr } = terminal.run(line.slice(2));
        return [line, stdout.trimEnd(), stderr.trimEnd()].filter((part) => part !== "").join("\n");
      });
      return { report: parts.map((part) => `\`\`\`\n${part}\n\`\`\``).join("\n\n") };
    } finally {
      terminal.close();
    }
  },
};

export default suite;
