// Plain tokens and passes of a model in each weight format, all of them loaded, in turns.
import type { Engine } from "../../../src/backend.ts";
import { HunchError } from "../../../src/errors.ts";
import { parseSpec } from "../../../src/plugins/method-spec.ts";
import { roomFor } from "../../../src/room.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../../../src/weight-format.ts";
import { backendOffers, loadEngine } from "../../engine/backends.ts";
import { loadWhereKnown } from "../../engine/formats.ts";
import { bytes } from "../../output/table.ts";
import { warn } from "../../output/streams.ts";
import { type Ground, refuseWide } from "./ground.ts";
import { PassTimer } from "./timer.ts";
import { inTurns, LONG, PASSES, PLAIN, type Turns } from "./turns.ts";

/** What weights may take of the memory; the rest is for texts, the program and its neighbours. */
const SHARE = 0.8;

/** A weight format as it was measured. */
export interface Timed {
  readonly format: WeightFormat;
  /** Of the weights that a pass reads; undefined where the backend does not tell, or a pass reads some of them only. */
  readonly weightBytes: number | undefined;
  readonly turns: Turns;
}

/**
 * The engine that computed, and what it took in each format; fewer turns, or none, where `signal` stopped it. Throws
 * HunchError("usage") where a pass has more rows than the engine takes, and what loading throws of a format that is named.
 */
export async function timesOf(
  ground: Ground,
  turns: number,
  signal: AbortSignal,
): Promise<{ engine: string; formats: Timed[] }> {
  const { source, widths, place, progress } = ground;
  const engines: Engine[] = [];
  try {
    await load(ground, engines);
    refuseWide(widths, engines[0]);
    const sizes = await sizesOf(ground, engines[0].name);
    const timers = engines.map((engine) => new PassTimer(engine, LONG));
    const measured = await inTurns(
      timers.map((timer) => ({
        plain: async () => (await timer.plain(place, PLAIN.most)).ms,
        passes: async (rows: number) => await timer.passes(place, rows, PASSES.most),
      })),
      widths,
      turns,
      { tell: (done) => progress("timing passes", done), signal },
    );
    timers.forEach((timer) => timer.close());
    const mixture = source.spec.layers.some(({ feedForward }) => feedForward.experts !== undefined);
    return {
      engine: engines[0].name,
      formats: engines.map(({ format }, i) => ({
        format,
        weightBytes: mixture ? undefined : sizes.get(format),
        turns: measured[i],
      })),
    };
  } finally {
    engines.forEach((engine) => engine.close());
  }
}

/** Loads the formats that are named, or those that the backend has and the memory holds beside each other. */
async function load(ground: Ground, engines: Engine[]): Promise<void> {
  const { source, registry, formats, backend, strict, threads, context, cacheDir, progress } = ground;
  const named = formats.length > 0;
  const room = SHARE * roomFor(cacheDir).memory;
  let held = 0;
  for (const format of named ? new Set(formats) : WEIGHT_FORMATS) {
    const spec = engines[0]?.name ?? backend; // one backend for all, so that only the format differs
    const size = engines.length === 0 ? 0 : (await sizesOf(ground, spec)).get(format) ?? 0;
    if (!named && held + size > room) {
      warn(`${format} is left out: with the others it takes ${bytes(held + size)}; --format ${format} times it alone`);
      continue;
    }
    const options = { format, strict, threads, context, cacheDir, progress };
    const engine = await loadWhereKnown(() => loadEngine(spec, source, options, registry), format, named);
    if (engine === undefined) continue;
    engines.push(engine);
    held += (await sizesOf(ground, engine.name)).get(format) ?? 0;
  }
  if (engines.length > 0) return;
  throw new HunchError("unavailable", `${backend} has no weight format for ${source.title}`, {
    hint: "hunch model info tells which backends have",
  });
}

/** Bytes of the weights by format, as far as the backend of an engine tells. */
async function sizesOf({ source, registry }: Ground, engine: string): Promise<Map<WeightFormat, number>> {
  const { name } = parseSpec(engine);
  const told = (await backendOffers(source, registry)).find(({ backend }) => backend === name)?.offers ?? [];
  return new Map(told.flatMap(({ format, bytes }) => bytes === undefined ? [] : [[format, bytes]]));
}
