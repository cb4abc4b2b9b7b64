// --backend auto: the backend that runs a model fastest on this machine, found out once by trying, then remembered.
import type { Backend, Engine } from "../../src/backend.ts";
import type { WeightFormat } from "../../src/weight-format.ts";
import { HunchError, UnsupportedError } from "../../src/errors.ts";
import type { ModelSource } from "../../src/model/source.ts";
import { measureCost } from "../../kernels/cost.ts";
import {
  type Choice,
  choicePath,
  type Options,
  type Prospect,
  readChoice,
  type Remembered,
  type Times,
  type Trial,
  writeChoice,
} from "./choice.ts";

/** Backends by name; each is loaded when it is asked for, so that none costs those anything who use another. */
export type Backends = Readonly<Record<string, () => Promise<Backend>>>;

/** What tests replace. */
export interface Setting {
  readonly backends: Backends;
  readonly measure?: (engine: Engine) => Promise<Times>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * The first that can run a model, unless one behind it that has hardware of its own is faster: `reference`, which has
 * none, is the last resort.
 */
const AUTO = ["onnx", "webgpu", "reference"];

/** A driver takes up to half a second to say its hardware's name, so it is asked for once a day. */
const DAY = 24 * 60 * 60 * 1000;
const PAST = 32;
const REPEATS = 3;

/** `fresh`: it was not remembered, but made by this call. */
export interface Fastest {
  readonly engine: Engine;
  readonly choice: Choice;
  readonly fresh: boolean;
}

/**
 * Loads `source` on the backend with the least sum of a pass over one row and one over eight. Never are two engines
 * loaded at once. Throws HunchError("unavailable") where no backend can run it.
 */
export async function loadFastest(
  source: ModelSource,
  options: Options,
  setting: Setting,
): Promise<Fastest> {
  const path = await choicePath(source, options);
  const kept = await recall(path, options.cacheDir, setting);
  if (kept) {
    try {
      const engine = await (await setting.backends[kept.backend]()).load(source, options);
      return { engine, choice: { ...choiceOf(kept), engine: engine.name }, fresh: false };
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error; // else what is left is tried again
    }
  }
  return await compare(path, source, options, setting);
}

/** What `auto` takes, or what it would try, as far as can be told without loading the model. */
export async function foresee(source: ModelSource, options: Options, setting: Setting): Promise<Choice | Prospect> {
  const kept = await recall(await choicePath(source, options), options.cacheDir, setting);
  if (kept) return choiceOf(kept);
  const candidates: string[] = [];
  const refusals: string[] = [];
  for (const name of AUTO) {
    const backend = await setting.backends[name]();
    const refused = refusedOffer(backend, source, options.format);
    if (candidates.length > 0 && !backend.hardware) continue;
    const found = candidates.length > 0 && !refused ? await look(backend, options.cacheDir) : undefined;
    if (refused ?? found?.refusal) refusals.push(`${name}: ${refused ?? found?.refusal}`);
    else candidates.push(found ? `${name} (${found.name})` : name);
  }
  return { candidates, refusals };
}

function choiceOf({ engine, trials, refusals }: Remembered): Choice {
  return { engine, trials, refusals };
}

/** The kept choice, where it still holds. */
async function recall(
  path: string,
  cacheDir: string,
  { backends, now = Date.now }: Setting,
): Promise<Remembered | undefined> {
  const kept = readChoice(path);
  if (!kept || !Object.hasOwn(backends, kept.backend)) return undefined;
  const old = Math.abs(now() - kept.time) > DAY;
  if (old && !kept.settled) return undefined;
  for (const [name, hardware] of Object.entries(kept.hardware)) {
    if (!old && name !== kept.backend) continue; // its own is started in any case
    if ((await look(await backends[name](), cacheDir)).name !== hardware) return undefined;
  }
  if (old) writeChoice(path, { ...kept, time: now() });
  return kept;
}

async function compare(
  path: string,
  source: ModelSource,
  options: Options,
  { backends, measure = passes, now = Date.now }: Setting,
): Promise<Fastest> {
  const { name: first, engine: taken, refusals } = await loadFirst(source, options, backends);
  const hardware: Record<string, string> = {};
  const remember = (backend: string, choice: Choice, settled: boolean) => {
    writeChoice(path, { ...choice, backend, hardware, settled, time: now() });
    return choice;
  };
  // Should a driver end the process, or a person lose patience, the next start finds this.
  const unfinished = [...refusals, "the other backends: hunch ended while they were tried"];
  remember(first, { engine: taken.name, trials: [], refusals: unfinished }, false);

  const rivals: string[] = [];
  for (const name of AUTO.slice(AUTO.indexOf(first) + 1)) {
    const backend = await backends[name]();
    if (!backend.hardware) continue;
    const refused = refusedOffer(backend, source, options.format);
    const found = refused ? undefined : await look(backend, options.cacheDir);
    if (found) hardware[name] = found.name;
    if (refused ?? found?.refusal) refusals.push(`${name}: ${refused ?? found?.refusal}`);
    else rivals.push(name);
  }
  if (rivals.length === 0) {
    return { engine: taken, choice: remember(first, { engine: taken.name, trials: [], refusals }, true), fresh: true };
  }

  const trials: Trial[] = [];
  const failed: string[] = [];
  let loaded: Engine | undefined = taken;
  for (const name of [first, ...rivals]) {
    options.progress?.(`trying ${name}`, trials.length / (rivals.length + 1));
    try {
      loaded ??= await (await backends[name]()).load(source, options);
      if (name !== first && options.strict && loaded.can.exact === "none") {
        throw new UnsupportedError("a row's bits depend on the rows beside it there, which --strict excludes");
      }
      const trial = { backend: name, engine: loaded.name, format: loaded.format, ms: await measure(loaded) };
      trials.push(trial);
      trials.sort((a, b) => sum(a) - sum(b));
      if (trials[0] === trial && name === rivals.at(-1)) continue; // stays
    } catch (error) {
      failed.push(`${name}: ${reason(error)}`); // whatever it is: it must not cost those an answer who did not ask for it
    }
    loaded?.close();
    loaded = undefined;
  }
  refusals.push(...failed);
  if (trials.length === 0) throw nothingRuns(failed);
  const [best] = trials;
  const engine = loaded ?? await (await backends[best.backend]()).load(source, options);
  const told = trials.length > 1 ? trials : [];
  return {
    engine,
    choice: remember(best.backend, { engine: engine.name, trials: told, refusals }, failed.length === 0),
    fresh: true,
  };
}

/** The first backend that can run the model, and why those before it cannot. */
async function loadFirst(source: ModelSource, options: Options, backends: Backends) {
  const errors: [name: string, error: UnsupportedError][] = [];
  for (const name of AUTO) {
    try {
      const engine = await (await backends[name]()).load(source, options);
      return { name, engine, refusals: errors.map(([name, error]) => `${name}: ${reason(error)}`) };
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      errors.push([name, error]);
    }
  }
  throw nothingRuns(errors.map(([name, { line }]) => `${name}: ${line}`));
}

function nothingRuns(refusals: readonly string[]): HunchError {
  return new HunchError("unavailable", `no backend can run this model here: ${refusals.join(" | ")}`);
}

/** The hardware's name; where there is none, why not, in its place as well. */
async function look(backend: Backend, cacheDir: string): Promise<{ name: string; refusal?: string }> {
  try {
    return { name: await backend.hardware?.(cacheDir) ?? "" };
  } catch (error) {
    return { name: reason(error), refusal: reason(error) };
  }
}

/** Why a backend has nothing to offer for a model in the wanted format; undefined where it has, or cannot tell. */
function refusedOffer(backend: Backend, source: ModelSource, format: WeightFormat | "auto"): string | undefined {
  const offers = backend.offers?.(source).filter((offer) => format === "auto" || offer.format === format);
  return offers?.every(({ refusal }) => refusal !== undefined)
    ? offers[0]?.refusal ?? `no format ${format}`
    : undefined;
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 300);
}

const sum = ({ ms: { one, eight } }: Trial) => one + eight;

async function passes(engine: Engine): Promise<Times> {
  const eight = Math.min(8, engine.context);
  const past = Math.min(PAST, engine.context - eight);
  const { points: [one, wide] } = await measureCost(engine, [1, eight], { past, repeats: REPEATS });
  return { one: one.ms, eight: wide.ms };
}
