// hunch score: one text to a table or a JSON object, or with --jsonl one for each line of stdin.
import type { Engine } from "../../src/backend.ts";
import { EXIT, HunchError } from "../../src/errors.ts";
import { scoreTokens, type TextScore } from "../../src/round/perplexity.ts";
import { openCache } from "../cache/cache.ts";
import { trimCache } from "../cache/entries.ts";
import { Engines, settingOf } from "../engine/engines.ts";
import type { ScoreCommand } from "./options.ts";
import { interruptible } from "../input/interrupt.ts";
import { LogitsFile } from "./logits-file.ts";
import { openRegistry } from "../engine/methods.ts";
import { scoreJson, scoreLines } from "../output/token-scores.ts";
import { Status } from "../output/status.ts";
import { stdout } from "../output/streams.ts";
import { readText } from "../input/text.ts";
import { tokensOf } from "./tokens.ts";

/** Returns the exit code. */
export async function score(options: ScoreCommand): Promise<number> {
  refuseContradictions(options);
  const given = options.jsonl ? undefined : await readGiven(options);
  const status = new Status();
  const cacheDir = openCache();
  const since = Date.now();
  const registry = await openRegistry(options.plugins);
  const engines = new Engines({ ...settingOf(options), registry, cacheDir, progress: status.progress });
  try {
    const source = await engines.source(options.model);
    const tokens = given === undefined ? undefined : tokensOf(source, given);
    const engine = await engines.load(source, options.backend);
    trimCache(cacheDir, since);
    if (tokens === undefined) return await (await import("./score-lines.ts")).answerScores(engine, options);
    return await scoreOne(engine, tokens, options, status);
  } finally {
    status.clear();
    engines.close();
  }
}

async function scoreOne(engine: Engine, tokens: Int32Array, options: ScoreCommand, status: Status): Promise<number> {
  const file = options.logits === undefined
    ? undefined
    : new LogitsFile(options.logits, tokens, engine.source.spec.vocab);
  const aborted = Symbol();
  try {
    const found = await interruptible(async (signal): Promise<TextScore | typeof aborted> => {
      try {
        return await scoreTokens(engine, tokens, {
          top: options.top,
          window: options.window,
          see: file && ((logits) => file.add(logits)),
          progress: (fraction) => status.progress("scoring", fraction),
          signal,
        });
      } catch (error) {
        if (signal.aborted) return aborted;
        throw error;
      }
    });
    if (found === aborted) return EXIT.interrupted;
    file?.finish();
    status.clear();
    if (options.json) stdout.line(JSON.stringify(scoreJson(engine, found as TextScore)));
    else for (const line of scoreLines(engine.source, found as TextScore)) stdout.line(line);
    return EXIT.ok;
  } finally {
    file?.discard();
  }
}

function refuseContradictions({ text, file, ids, json, jsonl, logits }: ScoreCommand): void {
  const given = Object.entries({ "a TEXT argument": text, "--file": file, "--ids": ids })
    .filter(([, value]) => value !== undefined).map(([name]) => name);
  if (given.length > 1) {
    throw new HunchError("usage", `${given.join(" and ")} do not go together`, { hint: "leave all but one out" });
  }
  if (!jsonl) return;
  if (given.length > 0) {
    throw new HunchError("usage", "--jsonl takes its texts from stdin", { hint: `leave ${given} out` });
  }
  for (const [name, present] of [["--json", json], ["--logits", logits !== undefined]] as const) {
    if (present) throw new HunchError("usage", `--jsonl and ${name} do not go together`, { hint: `leave ${name} out` });
  }
}

/** A text, or ids that stand for one. */
async function readGiven({ text, file, ids }: ScoreCommand): Promise<string | Int32Array> {
  if (ids !== undefined) return parseIds(ids);
  return text === undefined || text === "-" ? await readText(file ?? "-") : text;
}

/** Numbers with commas or spaces between them. */
function parseIds(text: string): Int32Array {
  const ids = text.split(/[\s,]+/).filter((part) => part !== "");
  const wrong = ids.find((id) => !/^\d{1,9}$/.test(id));
  if (wrong !== undefined || ids.length === 0) {
    const what = wrong === undefined ? "--ids has no ids" : `${JSON.stringify(wrong)} is no token id`;
    throw new HunchError("usage", what, { hint: "write them like 1,2,3" });
  }
  return Int32Array.from(ids, Number);
}
