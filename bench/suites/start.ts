// From starting the program to the first byte of the answer: with an empty cache folder and with a filled one.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, CURRENT, ROOT } from "../../scripts/runtimes.ts";
import { llama } from "../child.ts";
import { installPeers } from "../peers/install.ts";
import { show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { DEFAULT_MODEL, THREADS } from "../setup.ts";

const QUESTION = "Why is the sky blue?";
/** The question in the model's chat template, as ids. */
const IDS = [
  ...[1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2],
  ...[198, 1, 4093, 198, 4898, 314, 260, 6376, 4461, 47, 2, 198, 1, 520, 9531, 198],
];
const COLD = 5;
const WARM = 11;

const suite: Suite = {
  summary: "Milliseconds from the start of the program to the first byte of the default model's answer",
  async run() {
    const peer = await installPeers();
    const binary = join(ROOT, "dist", process.platform === "win32" ? "hunch.exe" : "hunch");
    const source = [...command(CURRENT), ...(CURRENT === "deno" ? ["run", "-A", "--no-prompt"] : []), "cli/main.ts"];
    const programs: [string, string[]][] = [[`hunch from source (${CURRENT})`, source]];
    if (existsSync(binary)) programs.push(["hunch, the binary", [binary]]);
    const rows = [];
    for (const [name, line] of programs) {
      const cold = [], warm = [], version = [];
      for (let i = 0; i < COLD; i++) {
        const cache = mkdtempSync(join(tmpdir(), "hunch-start-"));
        try {
          cold.push(await firstByte([...line, "--max-tokens", "1", QUESTION], cache));
          if (i > 0) continue;
          for (let k = 0; k < WARM; k++) warm.push(await firstByte([...line, "--max-tokens", "1", QUESTION], cache));
          for (let k = 0; k < WARM; k++) version.push(await firstByte([...line, "--version"], cache));
        } finally {
          rmSync(cache, { recursive: true, force: true });
        }
      }
      rows.push([name, show(spread(cold), 0), show(spread(warm), 0), show(spread(version), 0)]);
    }
    const theirs = [];
    for (let k = 0; k < WARM; k++) {
      const started = performance.now();
      const child = llama();
      await child.ask("load", { path: DEFAULT_MODEL, threads: THREADS, context: 1024 });
      await child.ask("generate", { prompt: IDS, max: 1 });
      theirs.push(performance.now() - started);
      await child.close();
    }
    rows.push(["node-llama-cpp (node, load, first token)", "", show(spread(theirs), 0), ""]);
    return {
      report: table(["", "first token, empty cache", "first token, warm", "--version"], rows),
      versions: { "node-llama-cpp": peer },
    };
  },
};

export default suite;

/** Milliseconds until `line` writes its first byte to stdout, using `cache` as its cache folder. */
function firstByte(line: readonly string[], cache: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(line[0], line.slice(1), {
      cwd: ROOT,
      env: { ...process.env, XDG_CACHE_HOME: cache },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let first = NaN, complaint = "";
    child.stdout.once("data", () => first = performance.now() - started);
    child.stderr.on("data", (part) => complaint += part);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0 && !Number.isNaN(first)) resolve(first);
      else reject(new Error(`${line.join(" ")} ended with ${code}: ${complaint}`));
    });
  });
}
