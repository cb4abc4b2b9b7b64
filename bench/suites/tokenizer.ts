// Text to tokens per second: English, and what is made to be slow. Near-linear: four times the text takes four times as
// long.
import { openModel } from "../../src/model/open.ts";
import { show, spread, table } from "../report.ts";
import type { Suite } from "../suite.ts";
import { ROOT } from "../../scripts/runtimes.ts";
import { DEFAULT_MODEL, specBench } from "../setup.ts";

const MEGABYTE = 1e6;
const REPEATS = 5;

const MODELS = {
  "byte-level BPE": DEFAULT_MODEL,
  SentencePiece: `${ROOT}test/fixtures/stories260k/stories260K-f32.gguf`,
};

const TEXTS = {
  English: ["summarization", "qa", "writing"].flatMap((kind) => specBench(kind, 80)).map(({ text }) => text).join("\n"),
  "one letter": "a",
  spaces: " ",
  emoji: "👩‍🚀🙂",
};

const suite: Suite = {
  summary: "Megabytes of text per second to tokens: English, and a megabyte of one letter, of spaces, of emoji",
  async run() {
    const rows = [];
    for (const [model, path] of Object.entries(MODELS)) {
      const source = await openModel(path);
      for (const [what, text] of Object.entries(TEXTS)) {
        const [whole, quarter] = [filled(text, MEGABYTE), filled(text, MEGABYTE / 4)];
        const speeds = [], growth = [];
        for (let i = 0; i < REPEATS; i++) {
          const part = timed(() => source.tokenizer.encode(quarter));
          const all = timed(() => source.tokenizer.encode(whole));
          speeds.push(MEGABYTE / 1e6 / (all / 1000));
          growth.push(all / part);
        }
        rows.push([`${model}: ${what}`, show(spread(speeds)), show(spread(growth))]);
      }
      source.close();
    }
    const head = ["a megabyte of", "MB/s", "time over that of a quarter (4: linear)"];
    return { report: `${table(head, rows)}\n\nTo reach: 0.5 MB/s of English, near-linear on the others.` };
  },
};

export default suite;

/** `text` again and again, cut at about `bytes` bytes of UTF-8. */
function filled(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  const whole = text.repeat(Math.max(1, Math.floor(bytes / encoded.length)));
  return encoded.length <= bytes ? whole : new TextDecoder().decode(encoded.subarray(0, bytes));
}

function timed(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
