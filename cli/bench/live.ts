// The table that is seen while a benchmark runs: on terminals it is drawn again after every prompt, elsewhere a line
// says what is done.
import { stderr } from "../output/streams.ts";
import { table } from "../output/table.ts";
import type { Row } from "./results.ts";
import { intervalText, speedText } from "./words.ts";

/** Settings that a line has room for. */
const MOST_TOLD = 6;

export class Live {
  #lines = 0;

  constructor(private readonly enabled: boolean) {}

  /** `rows`: of all kinds together. */
  show(rows: readonly Row[], done: number, all: number, what: string): void {
    if (!this.enabled) return;
    if (!stderr.terminal) {
      const told = rows.slice(0, MOST_TOLD).map((row) =>
        `${row.setting} ${row.speedup ? speedText(row) : intervalText(row.tokensPerSecond)}`
      );
      stderr.line(`${done}/${all} ${what}: ${told.join(" · ")}${rows.length > MOST_TOLD ? " · …" : ""}`);
      return;
    }
    const head = ["", "tokens/s", "over plain", "tokens per pass", "same text"];
    const lines = table([
      head,
      ...rows.map((row) => [
        row.setting,
        intervalText(row.tokensPerSecond),
        speedText(row),
        row.tokensPerPass.toFixed(2),
        row.same === undefined ? "–" : `${row.same} of ${row.prompts}`,
      ]),
    ], [1, 2, 3, 4]);
    this.clear();
    const width = stderr.columns;
    const room = stderr.rows - 2; // the cursor goes up within the screen only
    if (lines.length > room) lines.splice(room - 1, Infinity, "…");
    const shown = [...lines, `${done} of ${all}: ${what}`].map((line) => [...line].slice(0, width - 1).join(""));
    stderr.write(shown.map((line) => `${line}\n`).join(""));
    this.#lines = shown.length;
  }

  clear(): void {
    if (this.#lines > 0) stderr.write(`\x1b[${this.#lines}A\x1b[J`);
    this.#lines = 0;
  }
}
