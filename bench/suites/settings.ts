// `hunch bench` as docs/bench.md shows it: two drafters on a few prompts of every kind of work.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Terminal } from "../terminal.ts";
import type { Suite } from "../suite.ts";

const suite: Suite = {
  summary: "`hunch bench` with two drafters, two prompts of each kind of work",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "hunch-bench-"));
    const terminal = new Terminal();
    try {
      const { stdout } = terminal.run(
        `hunch bench --prompts 2 -n 48 -d suffix -d lookup -d auto --quiet --out '${folder}/out'`,
      );
      return { report: stdout.replace(/^# .*\n+/, "").replaceAll(folder, "…") };
    } finally {
      terminal.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export default suite;
