// What a store of 100 MB costs: at the start of a program, in a lookup, and in memory.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, CURRENT } from "../../scripts/runtimes.ts";
import { Store } from "../../src/store/store.ts";
import { show, spread, table } from "../report.ts";
import { DEFAULT_MODEL } from "../setup.ts";
import type { Suite } from "../suite.ts";

const TIMES = 11;
const VOCAB = 49152;
const TEXTS = 12_500;
const TOKENS = 1000;

/** Few tokens are frequent and many rare, as in texts. */
const someToken = () => Math.floor(VOCAB * Math.random() ** 3);
const someTokens = (length: number) => Int32Array.from({ length }, someToken);

const suite: Suite = {
  summary: "A store of 100 MB: what it adds to a start, how long a draft from it takes (processor time), memory",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "hunch-store-"));
    try {
      const path = join(folder, "large");
      Store.create(path, { tokenizer: "", vocab: VOCAB, model: "bench" }, 200e6);
      const store = Store.open(path, console.error);
      let started = process.cpuUsage();
      const since = () => {
        const { user, system } = process.cpuUsage(started);
        started = process.cpuUsage();
        return (user + system) / 1000;
      };
      store.add(Array.from({ length: TEXTS }, () => someTokens(TOKENS)));
      const build = since();
      const { bytes } = store.info();
      since();
      for (let i = 0; i < 500; i++) store.add([someTokens(300)]);
      const add = since() / 500;
      store.close();
      const opened = Array.from({ length: TIMES }, () => once(path));
      const of = (name: keyof Once) => show(spread(opened.map((once) => once[name])));
      const rows = [
        ["size, MB", (bytes / 1e6).toFixed(0)],
        ["made of tokens, s", (build / 1000).toFixed(1)],
        ["an answer of 300 tokens added, ms", add.toFixed(2)],
        ["a start: the tokenizer's fingerprint, ms", of("fingerprint")],
        ["a start: opening the store, ms", of("open")],
        ["the first draft, ms", of("first")],
        ["a later draft, ms", of("later")],
        ["memory of 2000 drafts, MB", of("memory")],
      ];
      return { report: table(["of the store", "median (middle half)"], rows) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Once {
  readonly fingerprint: number;
  readonly open: number;
  readonly first: number;
  readonly later: number;
  readonly memory: number;
}

function once(path: string): Once {
  const run = [...command(CURRENT), ...CURRENT === "deno" ? ["run", "-A", "--no-prompt", "--no-check"] : []];
  const [program, ...args] = [...run, new URL("../store-once.ts", import.meta.url).pathname, path, DEFAULT_MODEL];
  return JSON.parse(spawnSync(program, args, { encoding: "utf8" }).stdout);
}

export default suite;
