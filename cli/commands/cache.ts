// hunch cache: what is kept of converted models and measurements, and making room.
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional, withDefault } from "@optique/core/modifiers";
import { argument, command, constant, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { match } from "ts-pattern";
import { EXIT, HunchError } from "../../src/errors.ts";
import { debug } from "../options.ts";

const json = withDefault(flag("--json", { description: message`As JSON.` }), false);

export const cacheCommand = command(
  "cache",
  or(
    command("list", object({ action: constant("list"), json, debug }), {
      brief: message`What is in the cache, and how much of it.`,
    }),
    command("clear", object({ action: constant("clear"), debug }), {
      brief: message`Remove everything; it is made again when it is needed.`,
    }),
    command(
      "limit",
      object({
        action: constant("limit"),
        size: optional(argument(string({ metavar: "SIZE" }), {
          description: message`Such as ${"20GB"} or ${"500MB"}; without it, the limit is shown.`,
        })),
        debug,
      }),
      { brief: message`The size from which on what was used longest ago is removed.` },
    ),
  ),
  { brief: message`Converted models and measurements: list, clear, limit.` },
).map((options) => async (): Promise<number> => {
  const { openCache } = await import("../cache/cache.ts");
  const { cacheLimit, clearCache, listCache, setCacheLimit, trimCache } = await import("../cache/entries.ts");
  const { stderr, stdout } = await import("../output/streams.ts");
  const { bytes, table, when } = await import("../output/table.ts");
  const folder = openCache();
  return match(options)
    .with({ action: "list" }, ({ json }) => {
      const entries = listCache(folder);
      const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      const limit = cacheLimit(folder);
      if (json) {
        const shown = entries.map(({ path: _, ...rest }) => rest);
        stdout.line(JSON.stringify({ folder, limit, bytes: total, entries: shown }));
        return EXIT.ok;
      }
      for (const line of table(entries.map((entry) => [entry.name, bytes(entry.bytes), when(entry.used)]), [1])) {
        stdout.line(line);
      }
      stdout.line(`${bytes(total)} of ${bytes(limit)} in ${folder}`);
      return EXIT.ok;
    })
    .with({ action: "clear" }, () => {
      const { removed, kept } = clearCache(folder);
      const total = removed.reduce((sum, entry) => sum + entry.bytes, 0);
      stdout.line(`${bytes(total)} removed from ${folder}`);
      for (const { entry, why } of kept) stderr.line(`hunch: this could not be removed: ${why} (${entry.path})`);
      return kept.length > 0 ? EXIT.unavailable : EXIT.ok;
    })
    .with({ action: "limit" }, ({ size }) => {
      if (size !== undefined) {
        setCacheLimit(folder, sizeOf(size));
        trimCache(folder, Date.now() - 60_000);
      }
      stdout.line(bytes(cacheLimit(folder)));
      return EXIT.ok;
    })
    .exhaustive();
});

const UNITS: Readonly<Record<string, number>> = {
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
  TI: 2 ** 40,
};

/** Bytes of `20GB`, `1.5 GiB`, `500M`, `4096B`; only 0 needs no unit. */
export function sizeOf(text: string): number {
  const [, number, unit] = text.trim().toUpperCase().match(/^(\d+(?:\.\d+)?)\s*(?:([KMGT]I?)B?|B)?$/) ?? [];
  const size = Math.round(Number(number) * (unit === undefined ? 1 : UNITS[unit]));
  if (Number.isSafeInteger(size) && (size === 0 || /[A-Z]/i.test(text))) return size;
  const hint = number === undefined
    ? "write it like 20GB, 1.5GiB or 500MB"
    : `write ${number}GB, ${number}MB or ${number}B`;
  throw new HunchError("usage", `${JSON.stringify(text)} is not a size`, { hint });
}
