// Plain tokens and passes of a model in each weight format, all of them loaded, in turns.
import type { Engine, Offer } from "../../../src/backend.ts";
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
    const all = await backendOffers(source, ground.registry);
    const told: Told = (spec) => all.find(({ backend }) => backend === parseSpec(spec).name)?.offers;
    await load(ground, told, engines);
    refuseWide(widths, engines[0]);
    const sizes = new Map(told(engines[0].name)?.map(({ format, bytes }) => [format, bytes]));
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
async function load(ground: Ground, told: Told, engines: Engine[]): Promise<void> {
  const { source, registry, formats, backend, strict, threads, context, cacheDir, progress } = ground;
  const named = formats.length > 0;
  const room = SHARE * roomFor(cacheDir).memory;
  const refusals: HunchError[] = [];
  let held = 0;
  for (const format of named ? new Set(formats) : WEIGHT_FORMATS) {
    const spec = engines[0]?.name ?? backend; // one backend for all, so that only the format differs
    const offers = told(spec);
    const offer = offers?.find((offer) => offer.format === format);
    const size = offer?.bytes ?? 0;
    if (!named && offers !== undefined && offer?.bytes === undefined) {
      refusals.push(new HunchError("unavailable", offer?.refusal ?? `${spec} has no format ${format}`));
    } else if (!named && engines.length > 0 && held + size > room) {
      warn(`${format} is left out: with the others it takes ${bytes(held + size)}; --format ${format} times it alone`);
    } else {
      const options = { format, strict, threads, context, cacheDir, progress };
      const load = () => loadEngine(spec, source, options, registry);
      const engine = await loadWhereKnown(load, format, named, (error) => refusals.push(error));
      if (engine !== undefined) engines.push(engine);
      held += size;
    }
  }
  if (engines.length === 0) throw refusals[0];
}

/** What a backend, by a spec of it, offers for the model; undefined where it does not tell. */
type Told = (spec: string) => readonly Offer[] | undefined;
